/** Limits that every node states and enforces. Each is a setting; docs/configuration.md lists them with the same defaults. */
export interface Limits {
  readonly maxBodyBytes: number;
  readonly maxDecompressedBytes: number;
  readonly maxFrameBytes: number;
  readonly maxValueBytes: number;
  readonly maxNameBytes: number;
  readonly maxResultBytes: number;
  readonly maxExpressionBytes: number;
  readonly maxTabs: number;
  readonly maxClients: number;
  readonly maxConnections: number;
  /** Numbered Blocks that wait for their acknowledgement, per bucket. */
  readonly maxOpenBlocksPerBucket: number;
  /** How far ahead of the present a timestamp may be, seconds; beyond it the event is counted at the present. */
  readonly allowedSkewSec: number;
}

export const defaultLimits: Limits = {
  maxBodyBytes: 64 * 2 ** 20,
  maxDecompressedBytes: 256 * 2 ** 20,
  maxFrameBytes: 16 * 2 ** 20,
  maxValueBytes: 1024,
  maxNameBytes: 1024,
  maxResultBytes: 64 * 2 ** 20,
  maxExpressionBytes: 1024,
  maxTabs: 200_000,
  maxClients: 10_000,
  maxConnections: 10_000,
  maxOpenBlocksPerBucket: 4,
  allowedSkewSec: 10,
};
