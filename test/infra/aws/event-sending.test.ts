import { describe, expect, it } from 'vitest';
import { IAM_URI, type Resource, synthesize } from './support/synthesize.ts';

const { template, resources, functionIds } = synthesize();
const sender = functionIds.get('send-events') as string;
const [busId] = Object.keys(resources('AWS::Events::EventBus')) as [string];

describe('the event bus', () => {
  it('has the name of its stack, and is the only one', () => {
    template.resourceCountIs('AWS::Events::EventBus', 1);
    expect(resources('AWS::Events::EventBus')[busId]?.Properties).toMatchObject({
      Name: 'TokenOrchestrator',
    });
    expect(template.toJSON().Outputs.EventBus.Value).toEqual({ Ref: busId });
    expect(synthesize({ mongodbUri: IAM_URI, stage: 'staging' }).template.toJSON()).toMatchObject({
      Resources: { [busId]: { Properties: { Name: 'TokenOrchestrator-staging' } } },
    });
  });

  it('is known to its sender, which alone may put events on it, and on nothing else', () => {
    const functions = resources('AWS::Lambda::Function');
    const arn = { 'Fn::GetAtt': [busId, 'Arn'] };
    expect(functions[sender]?.Properties.Environment.Variables).toMatchObject({ EVENT_BUS_ARN: arn });
    const statements = Object.values(resources('AWS::IAM::Policy')).flatMap(
      ({ Properties }: Resource) => Properties.PolicyDocument.Statement as { Action: string | string[] }[],
    );
    expect(
      statements.filter(({ Action }) => [Action].flat().some((one) => one.startsWith('events:'))),
    ).toEqual([
      {
        Effect: 'Allow',
        Action: 'events:PutEvents',
        Resource: arn,
        Condition: { ArnEquals: { 'lambda:SourceFunctionArn': { 'Fn::GetAtt': [sender, 'Arn'] } } },
      },
    ]);
  });
});
