import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createSendHandler } from '../../shared/http/create-send-handler.ts';
import {
  type LocalConfig,
  loadEnvFile,
  provideVariable,
  readLocalConfig,
  servesMetrics,
} from '../../shared/runtime/config.ts';
import { logger } from '../../shared/runtime/logger.ts';
import { openStore } from '../../shared/runtime/open-store.ts';
import { createRuntime, type Runtime, toRuntimeOptions } from '../../shared/runtime/runtime.ts';
import { loadTracing } from '../../shared/runtime/tracing.ts';
import { keepsValues } from '../../shared/store/sqlite/sqlite-store.ts';
import { ensureAdminCredential, putAdmin } from './admin-credential.ts';
import { ForeseeableMistake, failWith } from './foreseeable-mistake.ts';
import { loadBundledFunctions } from './load-bundled-functions.ts';
import { loadFunctions } from './load-functions.ts';
import { createLocalServer } from './local-server.ts';
import { prepareStore } from './prepare-store.ts';
import { createPrometheusMetrics } from './prometheus-metrics.ts';
import { startSendTimer } from './send-timer.ts';
import { stopServer } from './stop-server.ts';
import { startSweepTimer } from './sweep-timer.ts';
import { ensureVaultKey } from './vault-key.ts';
import { createWebhook } from './webhook.ts';
import { welcome } from './welcome.ts';

const SITE_FOLDER = fileURLToPath(new URL('../../static-site/dist/', import.meta.url));

/** What `npm run build:functions` makes. */
const BUNDLE_FOLDER = fileURLToPath(new URL('../../dist/functions', import.meta.url));

/** `npm run start:bundles`: the very files that a deployment uploads. */
const FROM_BUNDLES = process.argv.includes('--bundles');

/** The whole service on one machine: API, dashboard and sweep. */
async function start(config: LocalConfig): Promise<void> {
  logger.setLogLevel(config.LOG_LEVEL);
  if (FROM_BUNDLES && config.MONGODB_URI === undefined && config.SQLITE_PATH === ':memory:') {
    throw new ForeseeableMistake('bundled functions share no memory: set SQLITE_PATH to a file');
  }
  const store = await openStore(config);
  await prepareStore(store, toRuntimeOptions(config).defaultPolicy);
  if (needsVaultKey(config)) {
    const key = await ensureVaultKey(() => keepsValues(config.SQLITE_PATH));
    provideVariable('VALUE_ENCRYPTION_KEY', key);
  }
  const credential = config.BOOTSTRAP_CREDENTIAL ?? (await ensureAdminCredential(store, Date.now()));
  if (config.BOOTSTRAP_CREDENTIAL !== undefined) await putAdmin(store, credential, Date.now());

  // Bundles share nothing with this process; they would print their metrics for CloudWatch.
  if (FROM_BUNDLES) provideVariable('POWERTOOLS_METRICS_DISABLED', 'true');
  const metrics = FROM_BUNDLES ? undefined : createPrometheusMetrics();
  const options = { ...toRuntimeOptions(readLocalConfig()), metrics: metrics?.publish };
  const runtime = createRuntime(store, options);
  const functions = FROM_BUNDLES
    ? await loadBundledFunctions(BUNDLE_FOLDER)
    : await loadFunctions(async () => runtime, metrics?.publish);
  const server = createLocalServer(functions, SITE_FOLDER, {
    corsOrigins: config.CORS_ORIGINS,
    metrics: servesMetrics(config) ? metrics : undefined,
  });
  server.listen(config.PORT, config.HOST);
  await once(server, 'listening');
  const sweepTimer = startSweepTimer(functions.sweep);
  const sendTimer = startSending(config, runtime);

  console.log(welcome(server.address() as AddressInfo, config, credential));

  const stop = async (): Promise<void> => {
    console.log('Stopping: finishing running requests');
    await Promise.all([stopServer(server), sweepTimer.stop(), sendTimer?.stop()]);
    await store.close();
    await (await loadTracing())?.end();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // A second signal finds no listener and ends the process at once.
    process.once(signal, () => void stop().catch(failWith));
  }
}

/** A receiver has a timer of its own: a slow one holds nothing else up. */
function startSending(config: LocalConfig, runtime: Runtime): ReturnType<typeof startSendTimer> | undefined {
  const { EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: secrets } = config;
  if (url === undefined || secrets === undefined) return undefined;
  const webhook = createWebhook(url, secrets);
  return startSendTimer(
    createSendHandler(
      async () => runtime,
      () => webhook,
    ),
  );
}

/** Not with MongoDB: other hosts may share that database, and all of them need the same key. */
function needsVaultKey(config: LocalConfig): boolean {
  const given = config.VALUE_ENCRYPTION_KEY ?? config.VALUE_ENCRYPTION_SECRET_ARN;
  return given === undefined && config.MONGODB_URI === undefined && config.MONGODB_SECRET_ARN === undefined;
}

try {
  loadEnvFile();
  await start(readLocalConfig());
} catch (error) {
  failWith(error);
}
