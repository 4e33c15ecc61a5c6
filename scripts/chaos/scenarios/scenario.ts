import type { Stage } from './stage.js';

/** A scripted failure: it brings the system to one exact moment, breaks it there, and compares everything afterwards. */
export interface Scenario {
  /** As in `--scenario NAME`. */
  readonly name: string;
  /** Its number in the list that docs/operations.md gives; without one it measures a promise instead. */
  readonly number?: number;
  readonly description: string;
  /** @throws ScenarioFailure, or whatever else went wrong */
  run(stage: Stage): Promise<void>;
}

/** Something was seen that must not be, or was not seen that must. */
export class ScenarioFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ScenarioFailure';
  }
}
