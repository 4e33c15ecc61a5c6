import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which Linux takes the local ports of outgoing connections: there a daemon that is down for a
 * moment would find its port taken by somebody's connection when it comes back.
 */
const [firstPort, lastPort] = [10_000, 32_767];
const given = new Set<number>();

/** A TCP port on loopback that was free a moment ago, never given twice by one process. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port between ${firstPort} and ${lastPort}`);
}

/** Whether nobody listens there, on loopback. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
