import fc from 'fast-check';
import t from 'tap';
import { Cell } from '../../src/client/cell.js';
import { CellOrder } from '../../src/client/cell-order.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { TabName } from '../../src/core/ids.js';

const handler = builtinHandlers().get('CounterGroup')!;

function cellsOf(count: number): Cell[] {
  // Not in the order of their names.
  return Array.from(
    { length: count },
    (_, at) => new Cell(`tab.${(at * 7919) % count}` as TabName, handler, at),
  );
}

function begin(order: CellOrder, cell: Cell): void {
  if (cell.isWaiting) return;
  cell.begin();
  order.begin(cell);
}

const namesOf = (cells: readonly Cell[]): string[] => cells.map(({ name }) => name);

t.test('few of many, or most of them: what waits is listed by name, each once', async () => {
  const round = fc.record({
    added: fc.integer({ min: 0, max: 60 }),
    begun: fc.array(fc.nat(), { maxLength: 80 }),
    taken: fc.double({ min: 0, max: 1, noNaN: true }),
    ends: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.array(round, { maxLength: 12 }), (most, rounds) => {
      const order = new CellOrder();
      const unused = cellsOf(most);
      const cells: Cell[] = [];
      return rounds.every(({ added, begun, taken, ends }) => {
        for (const cell of unused.splice(0, added)) {
          order.add(cell);
          cells.push(cell);
        }
        if (cells.length > 0) for (const at of begun) begin(order, cells[at % cells.length]!);
        const listed = order.waiting();
        const due = namesOf(cells.filter(({ isWaiting }) => isWaiting)).sort();
        for (const cell of listed.slice(0, Math.ceil(listed.length * taken))) cell.empty();
        // A take that failed on the way does not come to its end.
        if (ends) order.taken();
        return JSON.stringify(namesOf(listed)) === JSON.stringify(due);
      });
    }),
  );
});

t.test('a listing that was cut short goes on behind it, and the next one begins anew', async (t) => {
  const order = new CellOrder();
  const cells = cellsOf(1000);
  for (const cell of cells) order.add(cell);
  for (const cell of cells.slice(0, 5)) begin(order, cell);
  const all = order.waiting();
  order.beginAt(all[2]!);
  t.same(namesOf(order.waiting()), namesOf(all.slice(2)));
  t.same(namesOf(order.waiting()), namesOf(all));
});

t.test('what is retired is listed no more', async (t) => {
  const order = new CellOrder();
  const cells = cellsOf(10);
  for (const cell of cells) order.add(cell);
  order.waiting();
  cells[3]!.isRetired = true;
  order.dropRetired();
  for (const cell of cells) if (!cell.isRetired) begin(order, cell);
  t.equal(order.waiting().length, 9);
});
