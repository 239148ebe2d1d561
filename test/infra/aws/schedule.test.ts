import { describe, expect, it } from 'vitest';
import { synthesize } from './support/synthesize.ts';

const { template, resources, functionIds } = synthesize();
const [queue] = Object.keys(resources('AWS::SQS::Queue'));

describe.each(['expire-leases', 'send-events'])('the schedule of %s', (name) => {
  const target = functionIds.get(name);
  const [schedule] = Object.values(resources('AWS::Scheduler::Schedule')).filter(
    ({ Properties }) => Properties.Target.Arn['Fn::GetAtt'][0] === target,
  );

  it('invokes it every minute, without retries, and keeps what it could not deliver', () => {
    template.resourceCountIs('AWS::Scheduler::Schedule', 2);
    expect(schedule?.Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue, 'Arn'] } },
      },
    });
  });

  it('may invoke it and send to the queue, nothing else, and only for this account', () => {
    const roleId = schedule?.Properties.Target.RoleArn['Fn::GetAtt'][0];
    const [policy] = Object.values(resources('AWS::IAM::Policy')).filter(
      ({ Properties }) => Properties.Roles[0].Ref === roleId,
    );
    expect(policy?.Properties.PolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: { 'Fn::GetAtt': [target, 'Arn'] } },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': [queue, 'Arn'] } },
    ]);
    expect(resources('AWS::IAM::Role')[roleId]?.Properties.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
  });

  it('has Lambda retry nothing either, and report a run that failed', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: target },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
    });
  });
});

describe('the queue of both', () => {
  it('keeps dead letters encrypted, for two weeks, over TLS only', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
    const [policy] = Object.values(resources('AWS::SQS::QueuePolicy'));
    expect(policy?.Properties.PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });
});
