import type { AddressInfo } from 'node:net';
import type { LocalConfig } from '../../shared/runtime/config.ts';
import { CREDENTIAL_FILE } from './admin-credential.ts';

/** What a person sees after the start: where it listens, the store, the credential, and a first call to copy. */
export function welcome(address: AddressInfo, config: LocalConfig, credential: string): string {
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const shownHost = ['0.0.0.0', '[::]'].includes(host) ? 'localhost' : host;
  const url = `http://${shownHost}:${address.port}`;
  const store =
    config.MONGODB_URI === undefined ? `SQLite, ${config.SQLITE_PATH}` : 'MongoDB, from MONGODB_URI';
  const bootstrapped = config.BOOTSTRAP_CREDENTIAL !== undefined;
  const shown = bootstrapped ? '$BOOTSTRAP_CREDENTIAL' : credential;
  return `
Token Orchestrator listens on ${url}

  Store       ${store}
  Dashboard   ${bootstrapped ? url : `${url}/#credential=${credential}`}
  Credential  ${bootstrapped ? 'the one in BOOTSTRAP_CREDENTIAL' : `${credential}  (admin; kept in ${CREDENTIAL_FILE})`}

Create three keys, then acquire one:

  curl -X POST ${url}/v1/keys -H "Authorization: Bearer ${shown}" -H "Content-Type: application/json" -d '{"count":3}'
  curl -X POST ${url}/v1/leases -H "Authorization: Bearer ${shown}"
`;
}
