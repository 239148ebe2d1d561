import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, type LogGroupProps, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Parameters } from './parameters.ts';

/** A log group that ends as the parameters say. What `prod` logged outlives its stack. */
export class ServiceLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, parameters: Parameters, props: LogGroupProps = {}) {
    super(scope, id, {
      retention: parameters.logRetentionDays as RetentionDays,
      removalPolicy: parameters.stage === 'prod' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...props,
    });
  }
}
