import type { BlockRejection } from '../../core/block.js';
import { TabaError } from '../../core/errors.js';
import type { ProducerId } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import { idempotencyKeyOf } from '../../intake/idempotency-key.js';
import type { OtlpNaming } from '../../intake/otlp/points.js';
import { type IntakePath, type IntakeProtocol, intakePaths, intakeProtocols } from '../../intake/protocol.js';
import { stage } from '../../intake/stage.js';
import type { Staged } from '../../intake/staged.js';
import type { Clock } from '../../runtime/clock.js';
import type { HttpReply, HttpRequest, Route } from '../../transport/inbound/http.js';
import type { KeyedDelivery } from './keyed-delivery.js';
import type { OwnProducer } from './own-producer.js';
import type { RawDoor } from './raw-door.js';

export interface RawRoutesOptions {
  readonly door: RawDoor;
  readonly producer: OwnProducer;
  readonly keyed: KeyedDelivery;
  readonly limits: Pick<Limits, 'maxDecompressedBytes' | 'maxNameBytes'>;
  /** How metrics of OTLP become tabs. */
  naming(): OtlpNaming;
  /** Why nothing is taken at the moment, or undefined. */
  refuses(): TabaError | undefined;
  readonly clock: Clock;
}

/** How long a poster waits for every bucket to acknowledge. */
const acknowledgeWithinMs = 10_000;

/** Raw events over HTTP: 200 only when what was accepted is durable (R12). */
export function rawRoutes(options: RawRoutesOptions): Route[] {
  return intakePaths.map((path) => ({
    method: 'POST',
    path,
    doc: intakeProtocols[path].doc,
    handle: (request) => takeOrRefuse(options, path, request),
  }));
}

async function takeOrRefuse(
  options: RawRoutesOptions,
  path: IntakePath,
  request: HttpRequest,
): Promise<HttpReply> {
  const protocol: IntakeProtocol = intakeProtocols[path];
  try {
    return protocol.answer(await take(options, protocol, request), request);
  } catch (error) {
    if (protocol.refuse === undefined || !(error instanceof TabaError)) throw error;
    return protocol.refuse(error, request);
  }
}

async function take(
  options: RawRoutesOptions,
  protocol: IntakeProtocol,
  request: HttpRequest,
): Promise<Staged> {
  const { door, limits } = options;
  refuseIfFull(options);
  const key = idempotencyKeyOf(request);
  const { items, dropped } = await protocol.read(request, { limits, naming: options.naming() });
  // Decompressing takes a while: the server may be shutting down by now.
  refuseIfFull(options);
  const staged = stage(items, door.context());
  const producer = key === undefined ? undefined : options.keyed.producerOf(key, request.body);
  door.receive(staged.received, staged.clamped, staged.rejections.byCode);
  door.receiveDropped('mapping', dropped());
  if (staged.accepted > 0) {
    const rejected = await (producer === undefined
      ? deliver(options, staged)
      : deliverKeyed(options, producer, staged));
    staged.rejectLater(rejected);
  }
  return staged;
}

function refuseIfFull({ refuses }: RawRoutesOptions): void {
  const refusal = refuses();
  if (refusal !== undefined) throw refusal;
}

async function deliver(
  { producer, clock }: RawRoutesOptions,
  staged: Staged,
): Promise<readonly BlockRejection[]> {
  const { rejected, dropped } = await withDeadline(clock, producer.deliver(staged.parts));
  if (dropped !== undefined) {
    throw new TabaError('counted_in_part', `part of the body was given up (${dropped})`);
  }
  return rejected;
}

async function deliverKeyed(
  { door, keyed, clock }: RawRoutesOptions,
  producer: ProducerId,
  { parts, accepted }: Staged,
): Promise<readonly BlockRejection[]> {
  door.keyedWaits(accepted);
  try {
    const outcome = await withDeadline(clock, keyed.deliver(producer, parts, acknowledgeWithinMs));
    door.keyedDelivered(accepted, outcome);
    return outcome.rejected;
  } catch (error) {
    door.keyedGivenUp(accepted);
    throw error;
  }
}

/** @throws TabaError `counted_in_part` when the deadline comes first */
async function withDeadline<T>(clock: Clock, work: Promise<T>): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(acknowledgeWithinMs, () => {
      reject(new TabaError('counted_in_part', `not acknowledged within ${acknowledgeWithinMs / 1000} s`));
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
