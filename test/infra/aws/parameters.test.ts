import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ParameterError, readParameters } from '../../../infra/aws/parameters.ts';

const APP = fileURLToPath(new URL('../../../infra/aws/app.ts', import.meta.url));
const URI = 'mongodb+srv://cluster.example.mongodb.net';
const SECRET = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orchestrator-AbCdEf';

function read(parameters: Record<string, string>) {
  return readParameters((name) => parameters[name]);
}

describe('the parameters of a deployment', () => {
  it('need a database, and have a default for everything else', () => {
    expect(read({ mongodbUri: URI })).toEqual({ mongodbUri: URI, logRetentionDays: 30, tracing: 'off' });
    expect(read({ mongodbSecretArn: SECRET })).toEqual({
      mongodbSecretArn: SECRET,
      logRetentionDays: 30,
      tracing: 'off',
    });
  });

  it.each([
    [{}, /^mongodbUri is missing: /],
    [{ mongodbUri: 'cluster.example.net' }, /^mongodbUri must start with mongodb:/],
    [
      { mongodbUri: 'mongodb+srv://user:hunter2@cluster.example.net' },
      /^mongodbUri must .* carry no credential/,
    ],
    [{ mongodbUri: URI, mongodbSecretArn: SECRET }, /^mongodbSecretArn is given beside mongodbUri/],
    [{ mongodbSecretArn: 'orchestrator' }, /^mongodbSecretArn must be the whole ARN/],
    [{ mongodbSecretArn: SECRET.slice(0, -7) }, /^mongodbSecretArn must be the whole ARN/],
    [
      { mongodbUri: URI, secretKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/a' },
      /^secretKeyArn is given without/,
    ],
    [{ mongodbUri: URI, domainName: 'keys.example.com' }, /^certificateArn is missing/],
    [
      {
        mongodbUri: URI,
        domainName: 'keys.example.com',
        certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/a',
      },
      /^certificateArn must be the ARN of a certificate in us-east-1/,
    ],
    [
      { mongodbUri: URI, webAclArn: 'arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/a/b' },
      /^webAclArn must/,
    ],
    [{ mongodbUri: URI, alarmTopicArn: 'on-call' }, /^alarmTopicArn must be the ARN of an SNS topic/],
    [
      { mongodbUri: URI, reservedConcurrency: 'many' },
      /^reservedConcurrency must be a whole number from 1 to 1000$/,
    ],
    [{ mongodbUri: URI, logRetentionDays: '2' }, /^logRetentionDays must be one of 1, 3, 5/],
    [{ mongodbUri: URI, subnetIds: 'subnet-0a1b2c3d' }, /^securityGroupIds is missing/],
    [{ mongodbUri: URI, corsOrigins: 'app.example.com' }, /^corsOrigins must be \* or origins like/],
    [{ mongodbUri: URI, tracing: 'yes' }, /^tracing must be on or off/],
  ])('%j gets one line that says what is wrong', (parameters, message) => {
    expect(() => read(parameters as Record<string, string>)).toThrow(ParameterError);
    expect(() => read(parameters as Record<string, string>)).toThrow(message);
  });

  it('end the app with that line alone, and never show a credential', async () => {
    const context = JSON.stringify({ mongodbUri: 'mongodb+srv://user:hunter2@cluster.example.net' });
    const run = new Promise<{ code: unknown; stderr: string }>((resolve) => {
      const env = {
        ...process.env,
        CDK_CONTEXT_JSON: context,
        NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      };
      execFile(process.execPath, [APP], { env }, (error, _stdout, stderr) =>
        resolve({ code: error?.code, stderr }),
      );
    });
    const { code, stderr } = await run;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^token-orchestrator: mongodbUri must start with [^\n]+\n$/);
    expect(stderr).not.toContain('hunter2');
  });
});
