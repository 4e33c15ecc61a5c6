/** Where the values of one tab go. Never throws: a value that the tab type does not accept is counted as rejected. */
export interface Recorder {
  record(value: unknown): void;
}

/** What a client has done so far. Every recorded event is in exactly one of `buffered`, `delivered`, `rejected` and `lost`. */
export interface ClientStatus {
  /** Whether an agent or a server is connected and has introduced itself. */
  readonly connected: boolean;
  readonly recorded: number;
  /** Events that wait to be sent, or for the acknowledgement. */
  readonly buffered: number;
  /** An estimate of what they take up in memory. */
  readonly bufferedBytes: number;
  /** Events that an agent or a server has taken over. */
  readonly delivered: number;
  /** Events that could not be counted: a bad value, a bad name, another type than before. */
  readonly rejected: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  /** Events that were good and are gone, see `LossReason`. */
  readonly lost: number;
  readonly lostByReason: Readonly<Partial<Record<LossReason, number>>>;
  /** Why the last connection ended or did not come about; undefined while all is well. */
  readonly lastError: string | undefined;
}

export type LossReason =
  /** No room: `maxBufferBytes` was reached, and the tab had nothing waiting that it could be added to. */
  | 'buffer_full'
  /** The agent was restarted before it acknowledged a flush: whether it counted is unknown, and sending again might count twice. */
  | 'agent_restarted'
  /** The agent refused the flush as a whole. */
  | 'refused'
  /** A single Part is larger than the agent's frames may be. */
  | 'too_large'
  /** Still waiting when the client was closed, or recorded after that. */
  | 'closed';

/**
 * What a client hands its values to. The usual one folds and sends them; `dummyEngine()` keeps them for a test to look
 * at. An application that wraps its own can count, filter or duplicate.
 */
export interface Engine {
  /** The recorder of a tab: may be held, and costs a look-up each time it is asked for. Never throws. */
  tab(name: string, type: string): Recorder;
  status(): ClientStatus;
  /** Sends what waits. @returns whether everything recorded before the call was taken over within the deadline */
  flush(deadlineMs?: number): Promise<boolean>;
  close(deadlineMs?: number): Promise<void>;
}
