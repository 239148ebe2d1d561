import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  PARAMETER_NAMES,
  ParameterError,
  readParameters,
  stackNameOf,
} from '../../../infra/aws/parameters.ts';
import { CLOSED, EVERY_OPTION } from './support/synthesize.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const CDK = join(REPOSITORY, 'node_modules/aws-cdk/bin/cdk');
const LAYER = EVERY_OPTION.tracingLayerArn;
const URI = 'mongodb+srv://cluster.example.mongodb.net';
const SECRET = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orchestrator-AbCdEf';

function read(parameters: Record<string, string>) {
  return readParameters(parameters);
}

describe('the parameters of a deployment', () => {
  it('need a database, and have a default for everything else', () => {
    const defaults = {
      managedRules: 'off',
      closeDirectApi: 'off',
      alarmFreePercent: 10,
      alarmRefusedPercent: 50,
      alarmLapsedPercent: 10,
      rateLimit: 1000,
      burstLimit: 500,
      memoryMb: 512,
      logRetentionDays: 30,
      tracing: 'off',
      tracingPercent: 100,
    };
    expect(read({ mongodbUri: URI })).toEqual({ ...defaults, mongodbUri: URI });
    expect(read({ mongodbSecretArn: SECRET })).toEqual({ ...defaults, mongodbSecretArn: SECRET });
  });

  it('are all taken, each good value of them', () => {
    expect(read({ ...EVERY_OPTION })).toMatchObject({
      stage: 'prod',
      subnetIds: ['subnet-0a1b2c3d', 'subnet-0b1c2d3e'],
      memoryMb: 1024,
      canaryMinutes: 10,
      tags: [
        ['team', 'platform'],
        ['cost-centre', '42'],
      ],
    });
    const names = [...new Set([...Object.keys(EVERY_OPTION), ...Object.keys(CLOSED)])];
    expect(names.sort()).toEqual([...PARAMETER_NAMES].sort());
    expect(read({ mongodbUri: URI, tags: 'a=' })).toMatchObject({ tags: [['a', '']] });
    expect(read({ mongodbUri: URI, memoryMb: '' })).toMatchObject({ memoryMb: 512 });
  });

  it('are in the guide, each of them', () => {
    const guide = readFileSync(join(REPOSITORY, 'docs/deploy.md'), 'utf8');
    const rows = guide
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .join('\n');
    for (const name of PARAMETER_NAMES) expect(rows).toContain(`\`${name}\``);
  });

  it('are beside the connections of each tier, and what a load needs, as the model counts them', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(REPOSITORY, 'bench/load-model.ts')]);
    const [load, tiers] = stdout.trim().split('\n\n');
    expect(readFileSync(join(REPOSITORY, 'docs/load.md'), 'utf8')).toContain(load);
    expect(readFileSync(join(REPOSITORY, 'docs/deploy.md'), 'utf8')).toContain(tiers);
  });

  it('name the stack', () => {
    expect(stackNameOf(read({ mongodbUri: URI }))).toBe('TokenOrchestrator');
    expect(stackNameOf(read({ mongodbUri: URI, stage: 'prod' }))).toBe('TokenOrchestrator-prod');
    expect(stackNameOf(read({ mongodbUri: URI, stage: 'prod', stackName: 'Keys' }))).toBe('Keys');
  });

  it.each([
    ['alarmTopic', 'alarmTopicArn'],
    ['mongodburi', 'mongodbUri'],
    ['MONGODB_URI', 'mongodbUri'],
    ['corsOrigin', 'corsOrigins'],
    ['reservedConcurency', 'reservedConcurrency'],
    ['name', 'stage'],
  ])('do not include %s: is %s meant?', (name, meant) => {
    const mistyped = () => read({ mongodbUri: URI, [name]: 'x' });
    expect(mistyped).toThrow(ParameterError);
    expect(mistyped).toThrow(new RegExp(`^${name} is no parameter: is ${meant} meant\\?`));
  });

  it('leave the settings of CDK alone', () => {
    const settings = { '@aws-cdk/core:checkSecretUsage': true, 'aws:cdk:version-reporting': true };
    expect(read({ mongodbUri: URI, ...settings, 'acknowledged-issue-numbers': [1] } as never)).toBeDefined();
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
    [{ mongodbUri: URI, stage: 'Prod' }, /^stage must be up to 12 small letters/],
    [{ mongodbUri: URI, stackName: '1' }, /^stackName must be up to 36 letters/],
    [{ mongodbUri: URI, stackName: 'x'.repeat(37) }, /^stackName must be up to 36 letters/],
    [
      { mongodbUri: URI, domainName: 'https://keys.example.com', certificateArn: '' },
      /domainName must be a domain/,
    ],
    [{ mongodbUri: URI, apiDomainName: 'api.example.com' }, /^apiCertificateArn is missing/],
    [{ mongodbUri: URI, apiCertificateArn: 'x' }, /^apiCertificateArn must be the ARN of a certificate/],
    [{ mongodbUri: URI, managedRules: 'yes' }, /^managedRules must be on or off/],
    [
      { mongodbUri: URI, managedRules: 'on', webAclArn: EVERY_OPTION.webAclArn },
      /^webAclArn is given beside managedRules/,
    ],
    [{ mongodbUri: URI, closeDirectApi: 'true' }, /^closeDirectApi must be on or off/],
    [
      {
        mongodbUri: URI,
        closeDirectApi: 'on',
        apiDomainName: EVERY_OPTION.apiDomainName,
        apiCertificateArn: EVERY_OPTION.apiCertificateArn,
      },
      /^closeDirectApi leaves nobody to use apiDomainName/,
    ],
    [{ mongodbUri: URI, monthlyBudgetUsd: '100' }, /^monthlyBudgetUsd has nobody to tell/],
    [
      { mongodbUri: URI, monthlyBudgetUsd: '0', budgetEmail: 'a@example.com' },
      /^monthlyBudgetUsd must be a whole/,
    ],
    [{ mongodbUri: URI, budgetEmail: 'a@example.com' }, /^budgetEmail is given without monthlyBudgetUsd/],
    [{ mongodbUri: URI, monthlyBudgetUsd: '1', budgetEmail: 'on-call' }, /^budgetEmail must be an address/],
    [{ mongodbUri: URI, rateLimit: '0' }, /^rateLimit must be a whole number/],
    [{ mongodbUri: URI, burstLimit: '1.5' }, /^burstLimit must be a whole number/],
    [{ mongodbUri: URI, memoryMb: '128' }, /^memoryMb must be a whole number from 256/],
    [{ mongodbUri: URI, provisionedConcurrency: '0' }, /^provisionedConcurrency must be a whole number/],
    [
      { mongodbUri: URI, provisionedConcurrency: '5', reservedConcurrency: '4' },
      /^provisionedConcurrency must not be over reservedConcurrency/,
    ],
    [{ mongodbUri: URI, canaryMinutes: '7' }, /^canaryMinutes must be one of 5, 10, 15, 30/],
    [{ mongodbUri: URI, tags: 'team' }, /^tags must be NAME=VALUE/],
    [{ mongodbUri: URI, tags: 'team=a,aws:x=b' }, /^tags must not start with aws:/],
    [{ mongodbUri: URI, permissionsBoundaryArn: 'boundary' }, /^permissionsBoundaryArn must be the ARN/],
    [{ mongodbUri: URI, securityGroupIds: 'sg-1' }, /securityGroupIds must be ids like sg-/],
    [{ mongodbUri: URI, tracing: 'yes' }, /^tracing must be on, off or otlp/],
    [{ mongodbUri: URI, tracing: 'otlp' }, /^tracing is otlp: give it one of/],
    [
      { mongodbUri: URI, tracing: 'otlp', otlpEndpoint: 'https://a.example', tracingLayerArn: LAYER },
      /^tracing is otlp: give it one of/,
    ],
    [{ mongodbUri: URI, tracing: 'on', tracingLayerArn: LAYER }, /^tracing must be otlp where/],
    [{ mongodbUri: URI, tracing: 'otlp', tracingLayerArn: 'layer:3' }, /^tracingLayerArn must be the ARN/],
    [
      { mongodbUri: URI, tracing: 'otlp', otlpEndpoint: 'https://user:password@a.example' },
      /^otlpEndpoint must be .* without a credential/,
    ],
    [{ mongodbUri: URI, tracingPercent: '0' }, /^tracingPercent must be a whole number from 1/],
  ])('%j gets one line that says what is wrong', (parameters, message) => {
    expect(() => read(parameters as Record<string, string>)).toThrow(ParameterError);
    expect(() => read(parameters as Record<string, string>)).toThrow(message);
  });

  it('are told as that one line by the command line, which never shows a credential', {
    timeout: 60_000,
  }, async () => {
    const { code, output } = await cdk(
      'synth',
      '--quiet',
      '-c',
      'mongodbUri=mongodb+srv://user:hunter2@cluster.example.net',
    );
    expect(code).toBe(1);
    expect(output).toMatch(/^token-orchestrator: mongodbUri must start with [^\n]+\n/);
    expect(output).not.toMatch(/hunter2|\n {4}at /);
  });

  it('are missed by what wants the stack, and not by commands that only look for it, as bootstrap does', {
    timeout: 60_000,
  }, async () => {
    const { code, output } = await cdk('synth', '--quiet');
    expect(code).toBe(1);
    expect(output).toMatch(/ERROR mongodbUri is missing: -c mongodbUri=/);
    expect(await cdk('list', '-c', 'stage=dev')).toEqual({
      code: 0,
      output: 'Service (TokenOrchestrator-dev)\n',
    });
  });
});

/** The real command line, with the real app, in the repository. */
function cdk(...options: string[]): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CDK, ...options, '--output', mkdtempSync(join(tmpdir(), 'cdk-'))],
      { cwd: REPOSITORY },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}
