import t from 'tap';
import { GaugeMemory } from '../../../src/intake/statsd/gauge-memory.js';
import { tab } from '../node.js';

t.test('there are no more gauges than there may be, even where the oldest is always in use', (t) => {
  const memory = new GaugeMemory(3, [], 0);
  memory.cell(tab('busy'), 0).value = 7;
  memory.cell(tab('busy'), 0).waiting = 1;
  for (let name = 0; name < 1000; name++) memory.cell(tab(`name${name}`), 0);
  t.equal(memory.size, 3);
  t.equal(memory.cell(tab('busy'), 0).value, 7, 'what is in use is kept');
  t.end();
});

t.test('where all are in use there are more for a while', (t) => {
  const memory = new GaugeMemory(10, [], 0);
  const cells = Array.from({ length: 30 }, (_, name) => {
    const cell = memory.cell(tab(`name${name}`), 0);
    cell.waiting = 1;
    return cell;
  });
  t.equal(memory.size, 30);
  for (const cell of cells) cell.waiting = 0;
  for (let name = 0; name < 30; name++) memory.cell(tab(`later${name}`), 0);
  t.equal(memory.size, 10);
  t.end();
});

t.test('what was not used for two days is forgotten, and begins at 0 again', (t) => {
  const hour = 3_600_000;
  const memory = new GaugeMemory(10, [[tab('restored'), 5]], 0);
  memory.changed(memory.cell(tab('used'), 0), 40 * hour);
  memory.sweep(48 * hour);
  t.same([...memory.all()], [['used', 0]]);
  t.same([...memory.changes()], [['used', 0]]);
  t.end();
});
