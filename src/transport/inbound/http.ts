import type { Clock } from '../../runtime/clock.js';
import type { FrameLinkEvents } from '../frame-link.js';

/** A request whose body has arrived in full and is within its limit. Header names are lower-case. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Address of the other side. */
  readonly peer: string;
  /** Whether the client has gone away before its answer. */
  readonly isAborted: boolean;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent one behind the other: what is large need not be copied into one. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
}

/** A parameter of the query string, or of a form in the body. */
export interface ParameterDoc {
  readonly type: 'text' | 'flag';
  readonly description: string;
}

/** What people and programs should know about a route: it becomes its part of /openapi.json. */
export interface RouteDoc {
  readonly summary: string;
  readonly parameters?: Readonly<Record<string, ParameterDoc>>;
  /** Media types of the request's body, where it has one of its own. */
  readonly takes?: readonly string[];
  /** Media types of a good answer. */
  readonly gives: readonly string[];
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly doc: RouteDoc;
  /** Default: the server's limit. A larger body is answered 413 without being read to its end. */
  readonly maxBodyBytes?: number;
  /** A thrown TabaError becomes its status and its JSON; any other error is a 500 and is logged. */
  handle(request: HttpRequest): HttpReply | Promise<HttpReply>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly routes: readonly Route[];
  /** v2 frames at GET /v2; undefined: no WebSocket. */
  readonly frames?: FrameLinkEvents;
  readonly maxBodyBytes: number;
  readonly maxFrameBytes: number;
  readonly maxConnections: number;
  /** Ends the connection when a request's body makes no progress for so long. */
  readonly idleTimeoutSec?: number;
  /** Ends a v2 connection on which nothing comes in for so long, not even the answer to a ping. */
  readonly frameSilenceMs?: number;
  readonly clock?: Clock;
  readonly onError?: (error: unknown, where: string) => void;
}

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Stops listening; requests under way go on. Idempotent. */
  stopListening(): void;
  /** Ends everything that is open. Idempotent. */
  close(): void;
}
