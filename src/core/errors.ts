/**
 * The catalogue of errors: every fault that Taba names to somebody has one row here.
 *
 * `status` is the HTTP status of an answer that consists of this fault alone; `retry` says whether the same
 * request may succeed later, unchanged; `remedy` says what the reader can do about it. `docs/errors.md` lists the same
 * rows, and a test holds the two together.
 */
export interface ErrorRow {
  readonly status: number;
  readonly retry: boolean;
  readonly meaning: string;
  readonly remedy: string;
}

export const errorCatalogue = {
  // Faults of one item: the rest of the body counts.
  bad_name: {
    status: 400,
    retry: false,
    meaning: 'A tab name is empty, too long, or has a byte outside the name set.',
    remedy: 'Use 1 to 1,024 of A-Z a-z 0-9 . _ ~ : / ? @ ! $ ( ) * + ; = - in names.',
  },
  bad_client: {
    status: 400,
    retry: false,
    meaning: 'A client id is empty, too long, or has a byte outside the name set.',
    remedy: 'Use 1 to 1,024 of A-Z a-z 0-9 . _ ~ : / ? @ ! $ ( ) * + ; = - in client ids.',
  },
  unknown_type: {
    status: 400,
    retry: false,
    meaning: 'No handler is registered under this tab type.',
    remedy: 'Check the spelling, or load the handler with --additional-handlers on every node.',
  },
  type_conflict: {
    status: 400,
    retry: false,
    meaning: 'The tab exists with another type.',
    remedy: 'Record under another name, or delete the tab first (taba delete NAME --yes).',
  },
  bad_value: {
    status: 400,
    retry: false,
    meaning: 'The value is not what the tab type accepts (NaN and infinities never are).',
    remedy: 'docs/types-and-handlers.md lists what each type accepts.',
  },
  bad_timestamp: {
    status: 400,
    retry: false,
    meaning: 'The timestamp is not a finite, non-negative number of seconds.',
    remedy: 'Send seconds since 1970-01-01 UTC, with or without a fraction.',
  },
  bad_event: {
    status: 400,
    retry: false,
    meaning: 'An event is not of the shape that its protocol prescribes.',
    remedy: 'docs/protocol.md shows the shape, with examples.',
  },
  denied: {
    status: 403,
    retry: false,
    meaning: 'The tab name or the client id is on a deny-list of this node.',
    remedy: 'Ask the operator (settings name-denylist and client-denylist).',
  },
  too_many_tabs: {
    status: 429,
    retry: false,
    meaning: 'The node knows as many tabs as it is allowed to; this one is new.',
    remedy: 'Put fewer variable parts into names, delete tabs, or raise max-tabs.',
  },
  too_many_clients: {
    status: 429,
    retry: false,
    meaning: 'The node knows as many clients as it is allowed to; this one is new.',
    remedy: 'Use client ids that do not change with every start, or raise max-clients.',
  },
  too_many_states: {
    status: 429,
    retry: false,
    meaning: 'The owner keeps track of as many (tab, client) pairs as max-memory allows; this one is new.',
    remedy: 'Use fewer client ids per tab, raise max-memory, or add servers.',
  },
  // Faults of a whole body or request: nothing of it was counted.
  bad_framing: {
    status: 400,
    retry: false,
    meaning: 'The body cannot be taken apart into items: broken, cut off, or of another protocol version.',
    remedy: 'docs/protocol.md has the framing; nothing of this body was counted.',
  },
  unsupported_version: {
    status: 400,
    retry: false,
    meaning: 'The protocol version is not one that this node speaks.',
    remedy: 'Speak version 1 (text) or 2 (msgpack frames).',
  },
  nothing_accepted: {
    status: 400,
    retry: false,
    meaning: 'Every item of the body was rejected; each rejection says why.',
    remedy: 'Look at the rejected items of the answer.',
  },
  body_too_large: {
    status: 413,
    retry: false,
    meaning: 'The body, or what it decompresses to, is larger than allowed.',
    remedy: 'Send smaller batches, or raise max-body-bytes or max-decompressed-bytes.',
  },
  frame_too_large: {
    status: 413,
    retry: false,
    meaning: 'A frame is larger than allowed.',
    remedy: 'Send smaller frames; hello says how large they may be.',
  },
  overloaded: {
    status: 503,
    retry: true,
    meaning: 'The node has no room for more at the moment; nothing of this request was counted.',
    remedy: 'Send again after the seconds in Retry-After.',
  },
  too_many_connections: {
    status: 503,
    retry: true,
    meaning: 'The process has as many connections as it is allowed to.',
    remedy: 'Reuse connections, or raise max-connections.',
  },
  stopping: {
    status: 503,
    retry: true,
    meaning: 'The process is shutting down and takes nothing new.',
    remedy: 'Send to another node, or again in a moment.',
  },
  counted_in_part: {
    status: 504,
    retry: false,
    meaning: 'Not every part was acknowledged in time: the body may be counted in part.',
    remedy: 'Send with an Idempotency-Key, or through an agent, to be able to repeat safely.',
  },
  idempotency_mismatch: {
    status: 422,
    retry: false,
    meaning: 'The Idempotency-Key was used before with another body.',
    remedy: 'Use a fresh key for every body.',
  },
  // Queries and administration.
  unknown_tab: {
    status: 404,
    retry: false,
    meaning: 'No tab of this name is known.',
    remedy: 'taba names lists what is known; a new tab shows up within a second or two.',
  },
  unknown_client: {
    status: 404,
    retry: false,
    meaning: 'No client of this id is known.',
    remedy: 'taba clients lists what is known.',
  },
  mixed_types: {
    status: 400,
    retry: false,
    meaning: 'A super-aggregate was asked for over tabs of different types.',
    remedy: 'Narrow the selection to tabs of one type.',
  },
  bad_parameter: {
    status: 400,
    retry: false,
    meaning: 'A query parameter is unknown or has a value it cannot have.',
    remedy: 'docs/protocol.md lists the parameters of every route.',
  },
  bad_expression: {
    status: 400,
    retry: false,
    meaning: 'The regular expression is invalid or longer than allowed.',
    remedy: 'Use RE2 syntax: no look-around and no back-references, at most 1,024 bytes.',
  },
  query_too_slow: {
    status: 503,
    retry: false,
    meaning: 'The query used up its time budget.',
    remedy: 'Narrow the selection or simplify the expression.',
  },
  result_too_large: {
    status: 413,
    retry: false,
    meaning: 'The answer would be larger than allowed.',
    remedy: 'Narrow the selection, or raise max-result-bytes.',
  },
  not_found: {
    status: 404,
    retry: false,
    meaning: 'There is no such route.',
    remedy: 'docs/protocol.md lists the routes.',
  },
  wrong_method: {
    status: 405,
    retry: false,
    meaning: 'The route does not take this HTTP method; whatever changes something takes POST only.',
    remedy: 'The Allow header names the method.',
  },
  unavailable: {
    status: 503,
    retry: true,
    meaning: 'A bucket that the request needs is not served at the moment.',
    remedy:
      'Ask again in a moment, or with partial=true for what there is; taba status shows what it waits for.',
  },
  internal: {
    status: 500,
    retry: true,
    meaning: 'A defect in Taba; the log has the details.',
    remedy: 'Please report it, with the log line.',
  },
  // Between nodes.
  gap: {
    status: 409,
    retry: true,
    meaning: 'A flush number was skipped; the answer says which is expected.',
    remedy: 'Send from the expected number on.',
  },
  bucket_map_mismatch: {
    status: 409,
    retry: false,
    meaning: 'The other side has another number of buckets, hash or map generation.',
    remedy: 'Give every node of a cluster the same settings.',
  },
  // Starting up.
  bad_setting: {
    status: 500,
    retry: false,
    meaning: 'A setting is unknown or has a value it cannot have.',
    remedy: 'The message says what would be right; docs/configuration.md lists all settings.',
  },
  port_in_use: {
    status: 500,
    retry: false,
    meaning: 'Another process listens on the port.',
    remedy: 'Stop the other process, choose another --port, or let the system choose with --port 0.',
  },
  folder_in_use: {
    status: 500,
    retry: false,
    meaning: 'Another process uses the folder.',
    remedy: 'Give every process a folder of its own.',
  },
  store_mismatch: {
    status: 500,
    retry: false,
    meaning: 'The store was made with another number of buckets, another hash or a newer format.',
    remedy: 'Use the settings that the store was made with, or another store.',
  },
  store_failed: {
    status: 503,
    retry: true,
    meaning: 'The store could not carry out a write or a read.',
    remedy: 'The message has the cause (a full disk, say); Taba goes on trying.',
  },
  corrupt: {
    status: 500,
    retry: false,
    meaning: 'Bytes do not have the checksum or the layout that they should have.',
    remedy: 'The message says which bytes, and what was lost with them.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorCatalogue;

/** An error with a code of the catalogue. `message` names the fault; `details` go into JSON answers and log lines. */
export class TabaError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'TabaError';
    this.code = code;
    this.details = details;
  }

  get row(): ErrorRow {
    return errorCatalogue[this.code];
  }
}

/** One rejected item of a body: `index` counts the body's items from 0. */
export interface Rejection {
  readonly index: number;
  readonly code: ErrorCode;
  readonly message: string;
}
