import { Aws, Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';
import type { Parameters } from './parameters.ts';

/** Of the budget: of what the forecast says, and of what was spent. */
const ALARMING_PERCENT = 100;

/**
 * Tells of a month that will cost more than it may. It counts the whole account: costs of one stack are known to AWS
 * only where its tags were made cost allocation tags by hand, and would be zero without a word where they were not.
 */
export function addBudget(scope: Construct, parameters: Parameters): void {
  const { monthlyBudgetUsd, budgetEmail, alarmTopicArn } = parameters;
  if (monthlyBudgetUsd === undefined) return;
  const subscribers = [
    ...(budgetEmail === undefined ? [] : [{ subscriptionType: 'EMAIL', address: budgetEmail }]),
    ...(alarmTopicArn === undefined ? [] : [{ subscriptionType: 'SNS', address: alarmTopicArn }]),
  ];
  new CfnBudget(scope, 'Budget', {
    budget: {
      budgetName: `${Stack.of(scope).stackName}-${Aws.REGION}`,
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: ['FORECASTED', 'ACTUAL'].map((notificationType) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold: ALARMING_PERCENT,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    })),
  });
}
