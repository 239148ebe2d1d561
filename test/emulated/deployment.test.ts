import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { routes } from '../../functions/routes.ts';
import { createLocalServer } from '../../infra/local/local-server.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { DeployedFunctions } from './support/deployed-functions.ts';
import { EmulatedAws } from './support/emulated-aws.ts';

const STACK = 'TokenOrchestrator';

/** moto tells no outputs of a stack that a change set made, takes no second one, and knows no defaults as previous values. */
const DIRECTLY = '--method=direct --no-previous-parameters';

/** The tests follow each other as the steps of docs/deploy.md do. */
describe.skipIf(!inject('hasPython'))('a deployment', () => {
  describeWithMongoDb('as docs/deploy.md has it, on an emulated AWS', (database) => {
    let aws: EmulatedAws;
    let secretArn: string;
    let credential: string;

    beforeAll(async () => {
      aws = await EmulatedAws.start();
    });

    afterAll(async () => {
      await aws.stop();
    });

    function deploy(...parameters: string[]): Promise<string> {
      const options = [`mongodbSecretArn=${secretArn}`, ...parameters].map((parameter) => `-c ${parameter}`);
      const output = `-o ${aws.folder}/cdk.out`;
      return aws.run(`npm run deploy -- ${options.join(' ')} --require-approval never ${DIRECTLY} ${output}`);
    }

    /** What the functions are called, with something of each. */
    async function ofFunctions(what: string): Promise<Record<string, unknown>> {
      const described = await aws.ask<[string, unknown][]>(
        'lambda',
        'list_functions',
        `Functions[].[Description, ${what}]`,
      );
      return Object.fromEntries(
        described.map(([description, value]) => [description?.replace('Token Orchestrator: ', ''), value]),
      );
    }

    const thresholds = (name: string) =>
      aws.ask('cloudwatch', 'describe_alarms', `MetricAlarms[?contains(AlarmName, '${name}')].Threshold`);

    it('begins with the bootstrap of the account', async () => {
      await aws.run(`npx cdk bootstrap -o ${aws.folder}/bootstrap.out`);
      expect(await aws.ask('cloudformation', 'describe_stacks', 'Stacks[].[StackName, StackStatus]')).toEqual(
        [['CDKToolkit', 'CREATE_COMPLETE']],
      );
    });

    it('sets up the database that a secret names, and prints a credential', async () => {
      const secret = { Name: 'database', SecretString: database.uri };
      secretArn = await aws.ask('secretsmanager', 'create_secret', 'ARN', secret);
      const printed = await aws.run('npm run setup-database', { MONGODB_SECRET_ARN: secretArn });
      credential = /shown this once: (\S+)/.exec(printed)?.[1] ?? '';
      expect(credential).not.toBe('');
    });

    it('makes the stack, and prints its outputs', async () => {
      const printed = await deploy('tags=team=keys');
      for (const output of [
        /SiteUrl = https:\/\/\w+\.cloudfront\.net/,
        /ApiUrl = https:\/\/\w+\.execute-api\.eu-central-1\.amazonaws\.com/,
        /SetupDatabase = MONGODB_SECRET_ARN='arn:.+' npm run setup-database/,
        /DatabaseRole = arn:aws:iam::\d+:role\/TokenOrchestrator-eu-central-1-database/,
        /EventBus = TokenOrchestrator/,
        /DeadLetters = https:\/\/\S+/,
      ]) {
        expect(printed).toMatch(output);
      }
    });

    it('leads each method and path to its function, which the gateway may invoke', async () => {
      const api = { ApiId: await aws.ask('apigatewayv2', 'get_apis', 'Items[0].ApiId') };
      const targets = Object.fromEntries(
        await aws.ask<[string, string][]>('apigatewayv2', 'get_routes', 'Items[].[RouteKey, Target]', api),
      );
      const invoked = Object.fromEntries(
        await aws.ask<[string, string][]>(
          'apigatewayv2',
          'get_integrations',
          "Items[].[join('/', ['integrations', IntegrationId]), IntegrationUri]",
          api,
        ),
      );
      const arns = await ofFunctions('FunctionArn');
      for (const { methods, path, function: name } of Object.values(routes)) {
        for (const method of methods) {
          expect([method, path, invoked[targets[`${method} ${path}`] ?? '']]).toEqual([
            method,
            path,
            arns[name],
          ]);
        }
        const policy = await aws.ask<string>('lambda', 'get_policy', 'Policy', { FunctionName: arns[name] });
        expect(policy).toContain(`:${api.ApiId}/*/*${path}"`);
      }
    });

    it('gives the functions what the parameters say, logs that end, schedules and alarms', async () => {
      const arns = await ofFunctions('FunctionArn');
      const configured = await ofFunctions('[MemorySize, Runtime, Environment.Variables.MONGODB_SECRET_ARN]');
      expect(configured['acquire-lease']).toEqual([512, 'nodejs24.x', secretArn]);
      const tags = await aws.ask('lambda', 'list_tags', 'Tags', { Resource: arns['acquire-lease'] });
      expect(tags).toMatchObject({ team: 'keys' });
      const retention = await aws.ask<number[]>('logs', 'describe_log_groups', 'logGroups[].retentionInDays');
      expect(new Set(retention)).toEqual(new Set([30]));
      expect(retention.length).toBeGreaterThan(Object.keys(routes).length / 2);
      const scheduled = await aws.ask<string[]>('scheduler', 'list_schedules', 'Schedules[].Target.Arn');
      expect(scheduled.sort()).toEqual([arns['expire-leases'], arns['send-events']].sort());
      expect(await thresholds('AlarmsPoolNearlyEmpty')).toEqual([0.1]);
    });

    it('puts the dashboard into its bucket: hashed files for good, the page to be asked for each time', async () => {
      const bucket = "Buckets[?contains(Name, 'sitefiles')].Name | [0]";
      const Bucket = await aws.ask<string>('s3', 'list_buckets', bucket);
      const keys = await aws.ask<string[]>('s3', 'list_objects_v2', 'Contents[].Key', { Bucket });
      const app = keys.find((key) => /^app-\w{8}\.js$/.test(key));
      const cached = (Key: unknown) => aws.ask('s3', 'head_object', 'CacheControl', { Bucket, Key });
      expect(await cached(app)).toBe('public, max-age=31536000, immutable');
      expect(await cached('index.html')).toBe('no-cache');
    });

    it('serves the whole story of the smoke test from the code that it uploaded', async () => {
      const functions = new DeployedFunctions(aws, STACK);
      const server = createLocalServer(functions, '/nonexistent');
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        const printed = await aws.run(`npm run smoke -- --url ${url}`, {
          TOKEN_ORCHESTRATOR_CREDENTIAL: credential,
        });
        expect(printed.match(/^ok {4}/gm)).toHaveLength(12);
      } finally {
        server.closeAllConnections();
        server.close();
        await functions.stop();
      }
    });

    it('takes other parameters at an upgrade, without new functions', async () => {
      const before = await ofFunctions('FunctionArn');
      await deploy(
        'tags=team=keys',
        'memoryMb=1024',
        'logRetentionDays=7',
        'corsOrigins=https://app.example.com',
        'alarmFreePercent=25',
      );
      expect(await ofFunctions('FunctionArn')).toEqual(before);
      expect((await ofFunctions('MemorySize'))['acquire-lease']).toBe(1024);
      const retention = await aws.ask<number[]>('logs', 'describe_log_groups', 'logGroups[].retentionInDays');
      expect(new Set(retention)).toEqual(new Set([7]));
      const origins = await aws.ask('apigatewayv2', 'get_apis', 'Items[].CorsConfiguration.AllowOrigins[]');
      expect(origins).toEqual(['https://app.example.com']);
      expect(await thresholds('AlarmsPoolNearlyEmpty')).toEqual([0.25]);
    });

    it('leaves the key of values and nothing else when it is destroyed', async () => {
      await aws.run(`npx cdk destroy --force -o ${aws.folder}/destroy.out`);
      const left = {
        stacks: await aws.ask('cloudformation', 'describe_stacks', 'Stacks[].StackName'),
        functions: await aws.ask('lambda', 'list_functions', 'Functions[].FunctionName'),
        apis: await aws.ask('apigatewayv2', 'get_apis', 'Items[].Name'),
        schedules: await aws.ask('scheduler', 'list_schedules', 'Schedules[].Name'),
        logs: await aws.ask('logs', 'describe_log_groups', 'logGroups[].logGroupName'),
        alarms: await aws.ask('cloudwatch', 'describe_alarms', 'MetricAlarms[].AlarmName'),
        buckets: await aws.ask('s3', 'list_buckets', 'Buckets[].Name'),
        queues: await aws.ask('sqs', 'list_queues', 'QueueUrls[]'),
        buses: await aws.ask('events', 'list_event_buses', 'EventBuses[].Name'),
        distributions: await aws.ask('cloudfront', 'list_distributions', 'DistributionList.Items[].Id'),
        roles: await aws.ask('iam', 'list_roles', `Roles[?contains(RoleName, '${STACK}')].RoleName`),
        secrets: await aws.ask('secretsmanager', 'list_secrets', 'SecretList[].Name'),
      };
      expect(left).toEqual({
        stacks: ['CDKToolkit'],
        functions: [],
        apis: [],
        schedules: [],
        logs: [],
        alarms: [],
        buckets: [expect.stringMatching('^cdk-')],
        queues: null,
        buses: ['default'],
        distributions: null,
        roles: [],
        secrets: ['database', expect.stringContaining('ValueKey')],
      });
    });
  });
});
