import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** In front of agents: each request goes to the next one, or, where nobody listens there, to the one after. */
export interface Balancer {
  readonly url: string;
  /** `http://host:port` of the agents. */
  targets: string[];
  /** Requests that were answered by each. */
  readonly answered: ReadonlyMap<string, number>;
  /** Requests that have begun and are not answered. */
  readonly underWay: number;
}

export async function balancer(t: Test, targets: readonly string[]): Promise<Balancer> {
  const answered = new Map<string, number>();
  let turn = 0;
  const state = { targets: [...targets], underWay: 0 };
  const server = createServer(async (incoming, outgoing) => {
    state.underWay++;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    for (let tries = state.targets.length; tries > 0; tries--) {
      const target = state.targets[turn++ % state.targets.length]!;
      const reply = await forward(target, incoming.url ?? '/', incoming.headers, body);
      if (reply === 'refused') continue;
      answered.set(target, (answered.get(target) ?? 0) + 1);
      outgoing.writeHead(reply.status, reply.headers).end(reply.body);
      state.underWay--;
      return;
    }
    outgoing.writeHead(503, { 'retry-after': '1' }).end();
    state.underWay--;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { url: `http://127.0.0.1:${port}`, answered });
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** A connection that breaks after the request was sent is answered 502: nobody knows what became of it. */
function forward(
  target: string,
  path: string,
  headers: NodeJS.Dict<string | string[]>,
  body: Buffer,
): Promise<Reply | 'refused'> {
  return new Promise((resolve) => {
    const { host: _, ...rest } = headers;
    const outgoing = request(
      `${target}${path}`,
      { method: 'POST', headers: rest, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 500,
            headers: { 'content-type': String(answer.headers['content-type']) },
            body: Buffer.concat(chunks),
          }),
        );
        answer.on('error', () => resolve({ status: 502, headers: {}, body: Buffer.alloc(0) }));
      },
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'ECONNREFUSED' ? 'refused' : { status: 502, headers: {}, body: Buffer.alloc(0) },
      ),
    );
    outgoing.end(body);
  });
}
