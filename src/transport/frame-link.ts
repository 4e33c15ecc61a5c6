import type { Frame } from '../wire/frame.js';

/** One open v2 connection, whichever side opened it and whatever library carries it. */
export interface FrameLink {
  /** Host and port of the other side, for logs. */
  readonly peer: string;
  /** Bytes handed to the socket and not yet taken by the system. */
  readonly bufferedBytes: number;
  /** Sends, unless the connection is closed or its buffer is full: then returns false, and nothing was sent. */
  trySend(frame: Frame): boolean;
  /** Closes; `closed` handlers run once, now or later. Idempotent. */
  close(reason: string): void;
}

/** What a connection tells its user. A frame's bytes belong to the receiver: they were copied out of the socket's buffer. */
export interface FrameLinkEvents {
  open?(link: FrameLink): void;
  frame(link: FrameLink, frame: Frame): void;
  /** There is room again after a refused `trySend`. */
  drain?(link: FrameLink): void;
  closed(link: FrameLink, reason: string): void;
}
