/** Rules that concern one machine, and that a run can do without, to see that the simulation would notice. */
export const rules = [
  'R1-token',
  'R1-n',
  'R2',
  'R3',
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
