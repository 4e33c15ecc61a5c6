export interface BenchOptions {
  /** How long each load should take about; scenarios choose their numbers of events by it. */
  readonly seconds: number;
  /** Told what happens. */
  readonly print: (line: string) => void;
}

/** What a scenario has found out. */
export interface Report {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How fast the machine was, see calibration.ts. */
  readonly calibrationsNs: readonly number[];
  /** Whether Taba counted every event. */
  readonly ok: boolean;
}

export interface Scenario {
  readonly about: string;
  run(options: BenchOptions): Promise<Report>;
}
