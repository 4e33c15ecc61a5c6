import type { HttpResponse, HttpRequest as NativeRequest } from 'uWebSockets.js';
import type { HttpRequest } from './http.js';

const noBody = new Uint8Array(0);

/** A request, copied out of uWebSockets.js's, which lives only as long as its callback. */
export class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly peer: string;
  body: Uint8Array = noBody;
  readonly #rawQuery: string;
  #query: URLSearchParams | undefined;
  #isAborted = false;

  constructor(native: NativeRequest, response: HttpResponse) {
    const headers = new Map<string, string>();
    native.forEach((name, value) => {
      headers.set(name, value);
    });
    this.method = native.getMethod().toUpperCase();
    this.path = native.getUrl();
    this.headers = headers;
    this.peer = peerOf(response);
    this.#rawQuery = native.getQuery() ?? '';
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#rawQuery);
    return this.#query;
  }

  get isAborted(): boolean {
    return this.#isAborted;
  }

  abort(): void {
    this.#isAborted = true;
  }
}

export function peerOf(response: HttpResponse): string {
  return Buffer.from(response.getRemoteAddressAsText()).toString();
}
