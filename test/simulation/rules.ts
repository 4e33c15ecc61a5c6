/** Rules that a run can do without, to see that the simulation would notice. */
export const rules = [
  'R1-token',
  'R1-n',
  /** A new owner takes over the head as it is. */
  'R1-acquire',
  'R2',
  /** An acquisition is not waited for. */
  'R2-acquire',
  'R3',
  /** WAIT is asked again on another connection. */
  'R3-wait',
  /** Fewer replicas confirm than there are. */
  'R4',
  'R5',
  'R6',
  'R7',
  'R8',
  'R9',
  'R10',
  /** An owner that contradicts a producer asks the store first whether the bucket is still its own. */
  'R10-confirmed',
  'R11',
  'R12',
] as const;
export type Rule = (typeof rules)[number];
