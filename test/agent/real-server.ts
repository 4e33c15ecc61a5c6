import type { Test } from 'tap';
import type { Answer, Block } from '../../src/core/block.js';
import type { Seq } from '../../src/core/ids.js';
import { startHttpServer } from '../../src/transport/inbound/http-server.js';
import { readParts } from '../../src/wire/parts.js';

/** A server as an agent sees it, over real connections: one owner of all buckets, who takes each number once. */
export interface RealServer {
  readonly url: string;
  readonly counts: Map<string, number>;
  /** Blocks are counted, but not answered, while this is set. */
  silent: boolean;
  close(): void;
}

export async function realServer(t: Test, port = 0, bucketCount = 16): Promise<RealServer> {
  const counts = new Map<string, number>();
  const last = new Map<string, number>();
  const own = ({ producer, bucket, seq, payload }: Block): Answer => {
    const key = `${producer} ${bucket}`;
    const expected = (last.get(key) ?? 0) + 1;
    if (seq < expected) return { kind: 'acknowledged', repeat: true, rejected: [] };
    if (seq > expected) return { kind: 'expects', seq: expected as Seq };
    last.set(key, seq);
    for (const { tab, client, events } of readParts(payload)) {
      counts.set(`${tab} ${client}`, (counts.get(`${tab} ${client}`) ?? 0) + events);
    }
    return { kind: 'acknowledged', repeat: false, rejected: [] };
  };
  const http = await startHttpServer({
    host: '127.0.0.1',
    port,
    routes: [],
    maxBodyBytes: 2 ** 20,
    maxFrameBytes: 2 ** 24,
    maxConnections: 100,
    frames: {
      frame: (link, frame) => {
        if (frame.kind === 'hello') {
          link.trySend({
            kind: 'hello',
            versions: [2],
            role: 'server',
            id: 'f'.repeat(32),
            name: 'server',
            bucketCount,
            hash: 'xxh32',
            generation: 1,
            maxFrameBytes: 2 ** 24,
            maxInFlight: 8,
            nowMs: Date.now(),
          });
        } else if (frame.kind === 'push-blocks') {
          for (const block of frame.blocks) {
            const answer = own(block);
            const kind = answer.kind === 'acknowledged' ? 'ack' : 'nack';
            const { bucket, producer, seq } = block;
            if (!server.silent) link.trySend({ kind, answers: [{ bucket, producer, seq, answer }] });
          }
        }
      },
      closed: () => {},
    },
  });
  t.teardown(() => http.close());
  const server: RealServer = {
    url: `http://127.0.0.1:${http.port}`,
    counts,
    silent: false,
    close: () => http.close(),
  };
  return server;
}
