import type { Report, Scenario } from '../scenario.js';
import { partPath } from './part-path.js';
import { receivers } from './receivers.js';
import { type Stages, timed } from './stages.js';

const suites: Readonly<Record<string, () => Stages>> = {
  'CounterGroup, 1,000 tabs': () => partPath('CounterGroup', 1000),
  'CounterGroup, 16,000 tabs': () => partPath('CounterGroup', 16_000),
  'PercentileGroup, 16,000 tabs': () => partPath('PercentileGroup', 16_000),
  'bodies and packets, 1,000 tabs': () => receivers(1000),
  'bodies and packets, 16,000 tabs': () => receivers(16_000),
};

export const microScenario: Scenario = {
  about: 'the steps of the hot paths, each by itself in one process',
  async run({ print }) {
    const rows: string[][] = [];
    const calibrationsNs: number[] = [];
    for (const [suite, make] of Object.entries(suites)) {
      print(`${suite} …`);
      const stages = make();
      const { times, calibrationNs } = timed(stages);
      calibrationsNs.push(calibrationNs);
      for (const { stage, nsPerItem } of times) {
        const inCalibrations = (nsPerItem / calibrationNs).toFixed(2);
        rows.push([suite, stage, `${nsPerItem.toFixed(0)} ns/${stages.per}`, inCalibrations]);
      }
    }
    return {
      columns: ['with', 'step', 'CPU', 'in calibrations'],
      rows,
      calibrationsNs,
      ok: true,
    } satisfies Report;
  },
};
