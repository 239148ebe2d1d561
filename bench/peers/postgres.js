import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { serve } from './serve.js';

// FOR UPDATE SKIP LOCKED; each operation is one statement.

const LEASE_MS = 60_000;

const pool = new pg.Pool({ host: process.env.PGHOST, user: 'postgres', database: 'postgres', max: 16 });
pg.types.setTypeParser(20, Number);
await pool.query(`
  DROP TABLE IF EXISTS keys;
  CREATE TABLE keys (key_id text PRIMARY KEY, lease text, token bigint NOT NULL DEFAULT 0, free_at bigint NOT NULL)`);
await pool.query(
  `INSERT INTO keys SELECT 'key_' || md5(random()::text || number), NULL, 0, 0 FROM generate_series(1, $1::int) AS number`,
  [Number(process.env.KEYS)],
);
await pool.query('CREATE INDEX keys_free ON keys (free_at)');
await pool.query('ANALYZE keys');

const ACQUIRE = {
  name: 'acquire',
  text: `UPDATE keys SET lease = $3, free_at = $2, token = token + 1 WHERE key_id = (
      SELECT key_id FROM keys WHERE free_at <= $1 ORDER BY free_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING key_id, token`,
};
const HOLDING = (name, freeAt) => ({
  name,
  text: `UPDATE keys SET free_at = ${freeAt} WHERE key_id = $1 AND lease = $4 AND free_at > $2 AND $3::bigint > 0 RETURNING key_id`,
});
const KEEP_ALIVE = HOLDING('keep-alive', '$3');
const RELEASE = HOLDING('release', '$2');

async function holding(statement, leaseId) {
  const [keyId, lease] = leaseId.split('.');
  const now = Date.now();
  const { rowCount } = await pool.query({ ...statement, values: [keyId, now, now + LEASE_MS, lease] });
  return rowCount === 0 ? null : { leaseId, keyId, expiresAt: new Date(now + LEASE_MS).toISOString() };
}

serve({
  async acquire() {
    const now = Date.now();
    const lease = randomBytes(16).toString('base64url');
    const { rows } = await pool.query({ ...ACQUIRE, values: [now, now + LEASE_MS, lease] });
    if (rows.length === 0) return null;
    const { key_id: keyId, token } = rows[0];
    return {
      leaseId: `${keyId}.${lease}`,
      keyId,
      fencingToken: token,
      expiresAt: new Date(now + LEASE_MS).toISOString(),
    };
  },
  keepAlive: (leaseId) => holding(KEEP_ALIVE, leaseId),
  release: (leaseId) => holding(RELEASE, leaseId),
});
