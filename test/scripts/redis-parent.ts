/** The process that redis.test.ts kills while its Redis runs. */
import { startRedis } from '../../scripts/redis/redis-process.js';

const { redis } = await startRedis();
process.send?.({ pids: [redis.pid], folder: redis.folder });
