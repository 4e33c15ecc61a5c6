import uWS, { type HttpResponse, type us_listen_socket } from 'uWebSockets.js';
import { createServer } from 'node:net';
import { TabaError } from '../../core/errors.js';
import { systemClock } from '../../runtime/system-clock.js';
import { replyToThrown } from './error-reply.js';
import { FrameSockets } from './frame-sockets.js';
import type { HttpReply, HttpServer, HttpServerOptions, Route } from './http.js';
import { IncomingRequest } from './request.js';
import { bodyTooLarge, readBody } from './request-body.js';
import { writeReply } from './write-reply.js';

const defaultIdleTimeoutSec = 10;
const defaultFrameSilenceMs = 10_000;

/**
 * HTTP/1.1 and v2 frames over one port, on uWebSockets.js.
 *
 * @throws TabaError `port_in_use`, naming the port; `bad_setting` for an address that cannot be listened on
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = new NativeHttpServer(options);
  await server.listen();
  return server;
}

class NativeHttpServer implements HttpServer {
  readonly host: string;
  port: number;
  readonly #options: HttpServerOptions;
  readonly #app = uWS.App();
  readonly #routes = new Map<string, Map<string, Route>>();
  readonly #frames: FrameSockets | undefined;
  readonly #clock;
  #listening: us_listen_socket | undefined;
  #isStopping = false;
  #isClosed = false;
  /** Open connections that speak HTTP. uWebSockets.js tells of those that leave for WebSocket only when they come. */
  #httpConnections = 0;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.host = options.host;
    this.port = options.port;
    this.#clock = options.clock ?? systemClock();
    for (const route of options.routes) this.#addRoute(route);
    const count = (_response: HttpResponse, change: unknown) => {
      this.#httpConnections += Number(change);
    };
    this.#app.filter(count);
    if (options.frames !== undefined) {
      this.#frames = new FrameSockets({
        events: options.frames,
        maxFrameBytes: options.maxFrameBytes,
        maxBufferedBytes: options.maxFrameBytes,
        silenceMs: options.frameSilenceMs ?? defaultFrameSilenceMs,
        clock: this.#clock,
        refuses: () => this.#refusal(),
        upgraded: () => {
          this.#httpConnections--;
        },
        onError: (error, where) => this.#report(error, where),
      });
      this.#app.ws('/v2', this.#frames.behavior());
    }
    this.#app.any('/*', (response, native) => this.#take(response, new IncomingRequest(native, response)));
  }

  get connections(): number {
    return this.#httpConnections + (this.#frames?.size ?? 0);
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    this.#listening = await new Promise<us_listen_socket | undefined>((resolve) => {
      listenOn(this.#app, host, port, (socket) => resolve(socket === false ? undefined : socket));
    });
    if (this.#listening === undefined) {
      this.close();
      throw await listenFault(host, port);
    }
    this.port = uWS.us_socket_local_port(this.#listening);
  }

  stopListening(): void {
    this.#isStopping = true;
    if (this.#listening === undefined) return;
    uWS.us_listen_socket_close(this.#listening);
    this.#listening = undefined;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.stopListening();
    this.#frames?.closeAll('the server stops');
    this.#app.close();
  }

  #addRoute(route: Route): void {
    const methods = this.#routes.get(route.path) ?? new Map<string, Route>();
    if (methods.has(route.method)) throw new RangeError(`two routes for ${route.method} ${route.path}`);
    this.#routes.set(route.path, methods.set(route.method, route));
  }

  #refusal(): TabaError | undefined {
    const { maxConnections } = this.#options;
    if (this.connections <= maxConnections) return undefined;
    return new TabaError('too_many_connections', `more than ${maxConnections} connections`, {
      maxConnections,
    });
  }

  #take(response: HttpResponse, request: IncomingRequest): void {
    let stopReading = () => {};
    response.onAborted(() => {
      request.abort();
      stopReading();
    });
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#answer(response, request, replyToThrown(refusal), true);
      return;
    }
    let route: Route;
    try {
      route = this.#routeOf(request);
    } catch (error) {
      this.#answer(response, request, replyToThrown(error), hasBody(request));
      return;
    }
    const maxBytes = route.maxBodyBytes ?? this.#options.maxBodyBytes;
    const expectedBytes = Number(request.headers.get('content-length') ?? 0);
    if (expectedBytes > maxBytes) {
      this.#answer(response, request, replyToThrown(bodyTooLarge(maxBytes)), true);
      return;
    }
    stopReading = readBody(response, {
      ...{ maxBytes, expectedBytes },
      idleTimeoutMs: (this.#options.idleTimeoutSec ?? defaultIdleTimeoutSec) * 1000,
      clock: this.#clock,
      complete: (body) => {
        request.body = body;
        void this.#handle(response, request, route);
      },
      refuse: (error) => this.#answer(response, request, replyToThrown(error), true),
    });
  }

  #routeOf(request: IncomingRequest): Route {
    const methods = this.#routes.get(request.path);
    if (methods === undefined) {
      throw new TabaError('not_found', `there is no route ${JSON.stringify(request.path)}`);
    }
    const route = methods.get(request.method === 'HEAD' ? 'GET' : request.method);
    if (route === undefined) {
      const allow = [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : [])].join(', ');
      throw new TabaError('wrong_method', `${request.path} takes ${allow}, not ${request.method}`, { allow });
    }
    return route;
  }

  async #handle(response: HttpResponse, request: IncomingRequest, route: Route): Promise<void> {
    let reply: HttpReply;
    try {
      const handled = route.handle(request);
      reply = handled instanceof Promise ? await handled : handled;
    } catch (error) {
      // Whoever has gone away aborted it himself.
      if (!(error instanceof TabaError) && !request.isAborted) {
        this.#report(error, `${request.method} ${request.path}`);
      }
      reply = replyToThrown(error);
    }
    this.#answer(response, request, reply, false);
  }

  /** @param closes for an answer that is given while the body is still on its way */
  #answer(response: HttpResponse, request: IncomingRequest, reply: HttpReply, closes: boolean): void {
    if (request.isAborted) return;
    try {
      writeReply(response, reply, { head: request.method === 'HEAD', closes: closes || this.#isStopping });
    } catch (error) {
      this.#report(error, `answering ${request.method} ${request.path}`);
      response.close();
    }
  }

  #report(error: unknown, where: string): void {
    this.#options.onError?.(error, where);
  }
}

function hasBody(request: IncomingRequest): boolean {
  return request.headers.has('transfer-encoding') || Number(request.headers.get('content-length') ?? 0) > 0;
}

type Listen = (
  host: string,
  port: number,
  options: number,
  listening: (socket: us_listen_socket | false) => void,
) => void;

/** `listen` takes host and options together, which its declarations leave out. Without the option two servers would share one port. */
function listenOn(
  app: uWS.TemplatedApp,
  host: string,
  port: number,
  listening: (socket: us_listen_socket | false) => void,
): void {
  const exclusivePort = 1;
  (app.listen as unknown as Listen).call(app, host, port, exclusivePort, listening);
}

/** uWebSockets.js does not say why it cannot listen; node:net does. */
function listenFault(host: string, port: number): Promise<TabaError> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'EADDRINUSE'
          ? inUse(host, port)
          : new TabaError('bad_setting', `cannot listen on ${host}:${port}: ${error.message}`, {
              host,
              port,
            }),
      );
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(inUse(host, port))));
  });
}

function inUse(host: string, port: number): TabaError {
  return new TabaError('port_in_use', `port ${port} on ${host} is in use by another process`, { host, port });
}
