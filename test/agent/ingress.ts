import { once } from 'node:events';
import { createServer as createPlain } from 'node:http';
import { createServer as createTls } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import type { Certificate } from '../support/certificate.js';

/** How somebody asked for a connection. */
export interface Asked {
  readonly host: string | undefined;
  /** Server name of the TLS hand-shake; false: none was said. Absent without TLS. */
  readonly servername?: string | false | null;
}

export interface Ingress {
  readonly port: number;
  /** WebSockets that were asked for. */
  readonly asked: readonly Asked[];
}

export interface IngressOptions {
  /** Requests to any other host are not found. */
  readonly name: string;
  /** `http://127.0.0.1:port` of the server behind it. */
  readonly to: string;
  /** Plain HTTP without one. */
  readonly certificate?: Certificate;
}

/** Stands before a server as an ingress controller does: ends TLS, and goes by the host that a request names. */
export async function ingress(t: Test, { name, to, certificate }: IngressOptions): Promise<Ingress> {
  const asked: Asked[] = [];
  const server = certificate === undefined ? createPlain() : createTls(certificate);
  server.on('upgrade', (request, socket) => {
    const { host } = request.headers;
    asked.push({ host, ...(socket instanceof TLSSocket && { servername: socket.servername }) });
    socket.on('error', () => {});
    if (host !== `${name}:${port}`) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const behind = connect(Number(new URL(to).port), '127.0.0.1').on('error', () => {});
    t.teardown(() => behind.destroy());
    const headers = Object.entries(request.headers).map(([key, value]) => `${key}: ${value}\r\n`);
    behind.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
    behind.pipe(socket).pipe(behind);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, asked };
}
