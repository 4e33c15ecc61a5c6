/** Taba for applications: record events, read aggregates. */
export { type ErrorCode, TabaError } from '../core/errors.js';
export type { JsonValue } from '../core/handlers/handler.js';
export type { BuiltinType } from '../core/handlers/registry.js';
export { NoAnswer, ServerFault } from './ask-server.js';
export { Client, type ClientOptions, createClient } from './client.js';
export { type DummyEngine, dummyEngine, type RecordedEvent } from './dummy-engine.js';
export type { ClientStatus, Engine, LossReason, Recorder } from './engine.js';
export { type RawBatch, type RawOutcome, RawSender, type RawSenderOptions } from './raw-sender.js';
export {
  type AnswerForm,
  createReader,
  type Question,
  type Reader,
  type ReaderOptions,
  type ReaderRoute,
  type Selection,
  type Shown,
  type TabSelection,
} from './reader.js';
export { Counter, Gauge, Percentile, Totals, Unique, ValueBuffer } from './tabs.js';
export type { ClientFault } from './tally.js';
