import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { ConfigError, readRuntimeConfig } from '../../shared/runtime/config.ts';
import { openStore } from '../../shared/runtime/open-store.ts';

const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orchestrator-AbCdEf';

describe('the store of a configuration with a secret', () => {
  /** Stands for Secrets Manager, over HTTP as the SDK speaks to it. */
  let service: Server;
  let answer: { status: number; body: unknown };
  let asked: unknown[];

  beforeEach(async () => {
    asked = [];
    service = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      asked.push({
        target: request.headers['x-amz-target'],
        body: JSON.parse(Buffer.concat(chunks).toString()),
      });
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    vi.stubEnv(
      'AWS_ENDPOINT_URL_SECRETS_MANAGER',
      `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    );
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await new Promise((resolve) => service.close(resolve));
  });

  it('is the database that the secret names, and the secret is read once', async () => {
    answer = { status: 200, body: { SecretString: 'mongodb://database.invalid/orchestrator\n' } };
    const store = await openStore(readRuntimeConfig({ MONGODB_SECRET_ARN: ARN }));
    await store.close();
    expect(asked).toEqual([{ target: 'secretsmanager.GetSecretValue', body: { SecretId: ARN } }]);
  });

  it('is a mistake that is named, without the secret, when that is no connection string', async () => {
    answer = { status: 200, body: { SecretString: 'hunter2' } };
    const opening = openStore(readRuntimeConfig({ MONGODB_SECRET_ARN: ARN }));
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(/^The secret of MONGODB_SECRET_ARN must start with mongodb:/);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });

  it('is a database that does not answer when the secret cannot be read', async () => {
    answer = { status: 400, body: { __type: 'AccessDeniedException', message: 'not for this role' } };
    const opening = openStore(readRuntimeConfig({ MONGODB_SECRET_ARN: ARN }));
    await expect(opening).rejects.toThrow(DatabaseUnavailableError);
  });

  it('is the database of MONGODB_URI where that is set too', async () => {
    const store = await openStore(
      readRuntimeConfig({ MONGODB_SECRET_ARN: ARN, MONGODB_URI: 'mongodb://database.invalid/' }),
    );
    await store.close();
    expect(asked).toEqual([]);
  });
});

describe('the configuration', () => {
  it('names MONGODB_SECRET_ARN when it is not an ARN of a secret', () => {
    expect(() => readRuntimeConfig({ MONGODB_SECRET_ARN: 'my-secret' })).toThrow(
      'MONGODB_SECRET_ARN must be the ARN of a Secrets Manager secret',
    );
  });
});
