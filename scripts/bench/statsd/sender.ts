/**
 * Sends traffic as a process of its own, see `saidBySender`. Prints how many datagrams it sent (over TCP: writes) when the last one is on
 * its way.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { roundOf, type Traffic } from './traffic.js';

/** Written at once over TCP. */
const tcpBytes = 64 * 1024;

/** Waits until `events` are due at the rate, if there is one. */
function pace(eventsPerSec: number): (events: number) => Promise<void> | undefined {
  if (eventsPerSec === 0) return () => undefined;
  const begun = performance.now();
  return (events) => {
    const aheadMs = (events / eventsPerSec) * 1000 - (performance.now() - begun);
    return aheadMs > 1 ? sleep(aheadMs) : undefined;
  };
}

async function sendTcp(port: number, traffic: Traffic): Promise<number> {
  const { packets, events } = roundOf(traffic);
  const writes: { bytes: Buffer; events: number }[] = [];
  let gathered: Buffer[] = [];
  let size = 0;
  let inside = 0;
  for (const [index, packet] of packets.entries()) {
    gathered.push(packet);
    size += packet.length;
    inside += events[index]!;
    if (size < tcpBytes && index < packets.length - 1) continue;
    writes.push({ bytes: Buffer.concat(gathered), events: inside });
    [gathered, size, inside] = [[], 0, 0];
  }
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const due = pace(traffic.eventsPerSec);
  let sent = 0;
  for (let round = 0; round < traffic.rounds; round++) {
    for (const { bytes, events: inWrite } of writes) {
      if (!socket.write(bytes)) await once(socket, 'drain');
      sent += inWrite;
      await due(sent);
    }
  }
  socket.end();
  await once(socket, 'close');
  return writes.length * traffic.rounds;
}

async function sendUdp(port: number, traffic: Traffic): Promise<number> {
  const { packets, events } = roundOf(traffic);
  const socket = createSocket('udp4');
  await promisify(socket.connect.bind(socket) as (port: number, host: string, done: () => void) => void)(
    port,
    '127.0.0.1',
  );
  const due = pace(traffic.eventsPerSec);
  let sent = 0;
  let waiting = 0;
  let resume = () => {};
  const done = (error: Error | null) => {
    if (error !== null) throw error;
    if (--waiting === 0) resume();
  };
  for (let round = 0; round < traffic.rounds; round++) {
    for (const [index, packet] of packets.entries()) {
      waiting++;
      socket.send(packet, done);
      sent += events[index]!;
      // The socket writes at once; its callbacks come when this yields.
      if (waiting >= 64) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
        await due(sent);
      }
    }
  }
  if (waiting > 0) {
    await new Promise<void>((resolve) => {
      resume = resolve;
    });
  }
  socket.close();
  return packets.length * traffic.rounds;
}

export interface SenderOrder {
  readonly port: number;
  readonly traffic: Traffic;
}

export interface Sent {
  readonly packets: number;
}

if (import.meta.filename === process.argv[1]) {
  const { port, traffic } = JSON.parse(process.argv[2]!) as SenderOrder;
  const packets = await (traffic.transport === 'tcp' ? sendTcp : sendUdp)(port, traffic);
  console.log(JSON.stringify({ packets } satisfies Sent));
}
