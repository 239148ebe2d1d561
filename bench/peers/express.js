import { randomUUID } from 'node:crypto';
import express from 'express';
import mongoose from 'mongoose';

// The design that this service grew from: a key is blocked and unblocked by its id, whoever asks. Under the paths of
// this service, so that the same callers can call it: the lease's id is the key's.

const LEASE_MS = 60_000;

const keySchema = new mongoose.Schema({
  keyId: { type: String, required: true, unique: true },
  isBlocked: { type: Boolean, default: false, index: true },
  blockedAt: Date,
  lastKeepAlive: Date,
  expiresAt: { type: Date, index: { expires: 0 } },
});
const Key = mongoose.model('Key', keySchema);

await mongoose.connect(process.env.MONGODB_URI);
await Key.deleteMany({});
await Key.init();
const count = Number(process.env.KEYS);
const blocked = Math.round(count * Number(process.env.LEASED ?? 0));
for (let made = 0; made < count; made += 1000) {
  const keys = Array.from({ length: Math.min(1000, count - made) }, (_, i) => ({
    keyId: randomUUID(),
    isBlocked: made + i < blocked,
    lastKeepAlive: new Date(Date.now() + 3_600_000),
    expiresAt: new Date(Date.now() + 86_400_000),
  }));
  await Key.insertMany(keys);
}

const app = express();
app.use(express.json());

app.post('/v1/leases', async (_request, response) => {
  const now = new Date();
  const key = await Key.findOneAndUpdate(
    { isBlocked: false, expiresAt: { $gt: now } },
    { isBlocked: true, blockedAt: now, lastKeepAlive: now, expiresAt: new Date(+now + 300_000) },
    { returnDocument: 'after' },
  );
  if (key === null) response.status(404).json({ error: 'No available keys' });
  else response.status(201).json({ leaseId: key.keyId, keyId: key.keyId });
});

app.post('/v1/leases/:id/keep-alive', async (request, response) => {
  const now = new Date();
  const key = await Key.findOneAndUpdate(
    { keyId: request.params.id, isBlocked: true },
    { lastKeepAlive: now, expiresAt: new Date(+now + 300_000) },
    { returnDocument: 'after' },
  );
  if (key === null) response.status(404).json({ error: 'Key not found' });
  else response.json({ leaseId: key.keyId, keyId: key.keyId });
});

app.delete('/v1/leases/:id', async (request, response) => {
  const key = await Key.findOneAndUpdate({ keyId: request.params.id }, { isBlocked: false });
  response.status(key === null ? 404 : 204).end();
});

setInterval(async () => {
  const limit = new Date(Date.now() - LEASE_MS);
  await Key.updateMany({ isBlocked: true, lastKeepAlive: { $lt: limit } }, { isBlocked: false });
}, 60_000);

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listens on http://127.0.0.1:${server.address().port}`);
});
