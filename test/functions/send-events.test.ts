import { describe, expect, it } from 'vitest';
import type { Receipt } from '../../shared/domain/send-events.ts';
import { createSendHandler } from '../../shared/http/create-send-handler.ts';
import { createRuntime } from '../../shared/runtime/runtime.ts';
import { useTestApi } from '../support/test-api.ts';

describe('the function that sends events', () => {
  const api = useTestApi();

  const makeSender = (answer: () => Receipt) => {
    const runtime = createRuntime(api.store, { clock: () => api.now, clockSkewToleranceMs: 1000 });
    const receiver = { name: 'receiver', batchSize: 1, send: async () => answer() };
    const handler = createSendHandler(
      async () => runtime,
      () => receiver,
    );
    return (remainingMs = 50_000) => handler({}, { getRemainingTimeInMillis: () => remainingMs });
  };
  const entries = () =>
    api
      .logged()
      .split('\n')
      .filter((line) => line.includes('"message":"events sent"'))
      .map((line) => JSON.parse(line));

  it('logs how many it sent, and how long the oldest that is left has waited', async () => {
    await api.putPool('seats', {});
    api.now += 90_000;
    const failure = { reason: 'status 500' };
    let receipt: Receipt = { taken: 0, failure };
    const send = makeSender(() => receipt);
    await send();
    receipt = { taken: 1 };
    await send();
    expect(entries()).toMatchObject([
      { level: 'WARN', sent: 0, oldestUnsentAgeMs: 90_000, failure },
      { level: 'INFO', sent: 1, oldestUnsentAgeMs: 0 },
    ]);
  });

  it('logs nothing where there is nothing to send', async () => {
    expect(await makeSender(() => ({ taken: 1 }))()).toEqual({ sent: 0, oldestUnsentAgeMs: 0 });
    expect(entries()).toEqual([]);
  });

  it('begins no send that its time does not suffice for', async () => {
    await api.putPool('seats', {});
    const send = makeSender(() => ({ taken: 1 }));
    expect(await send(20_000)).toMatchObject({ sent: 0 });
    expect(await send(20_001)).toMatchObject({ sent: 1 });
  });
});
