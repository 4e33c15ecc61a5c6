import t from 'tap';
import { StatsdScanner } from '../../../src/wire/statsd/scanner.js';
import { Collector, roomy, scanned } from './collector.js';
import { mustNotParse } from './must-not-parse.js';
import { mustParse } from './must-parse.js';

t.test('must parse', async (t) => {
  for (const [line, found] of mustParse) {
    t.equal(scanned(line).join('; '), found, JSON.stringify(line.slice(0, 80)));
    t.notMatch(found, /(^|; )!/, 'nothing in it is at fault');
  }
});

t.test('must not parse', async (t) => {
  for (const [line, found] of mustNotParse) {
    t.equal(scanned(line).join('; '), found, JSON.stringify(line.slice(0, 80)));
    t.match(found, /(^|; )!/, 'something in it is at fault');
  }
});

t.test('the tables are as large as they should be, and say nothing twice', async (t) => {
  const lines = [...mustParse, ...mustNotParse].map(([line]) => line);
  t.ok(lines.length >= 300, `${lines.length} lines`);
  t.equal(new Set(lines).size, lines.length);
});

t.test('a line means the same wherever it stands, and whatever surrounds its bytes', async (t) => {
  for (const [line, found] of [...mustParse, ...mustNotParse]) {
    const around = `first:1|c\n${line}\nlast:2|g`;
    t.equal(scanned(around).join('; '), `first c 1; ${found}; last g 2`, JSON.stringify(line.slice(0, 80)));
    for (const shift of [1, 2, 3, 5]) {
      const bytes = Buffer.from(`${'9'.repeat(shift)}${line}9:9|c|@9`);
      const collector = new Collector();
      const end = shift + Buffer.byteLength(line);
      new StatsdScanner(collector, roomy).scan(bytes, shift, end);
      t.equal(collector.found.join('; '), found, `${shift} bytes on: ${JSON.stringify(line.slice(0, 80))}`);
    }
  }
});

t.test('a series is told of once, whatever comes between', async (t) => {
  const collector = new Collector();
  const scanner = new StatsdScanner(collector, roomy);
  const packet = Buffer.from('a:1|c\nb:1|c|#x\na:2|c\nb:2|c|#x\nb:3|c|#y\n');
  t.equal(scanner.scan(packet, 0, packet.length), 5);
  t.equal(scanner.series, 3);
  t.equal(scanner.scan(packet, 0, packet.length), 5);
  t.equal(scanner.series, 3);
  t.equal(collector.found.length, 10);
  scanner.forget();
  t.equal(scanner.series, 0);
  scanner.scan(packet, 0, packet.length);
  t.equal(scanner.series, 3);
  t.same(collector.found.slice(10), collector.found.slice(0, 5));
});

t.test(
  'more series than there is room for: numbers begin anew, no value is mistaken for another',
  async (t) => {
    const collector = new Collector();
    const scanner = new StatsdScanner(collector, { maxSeries: 10, maxKeyBytes: 1000 });
    const expected: string[] = [];
    for (let round = 0; round < 3; round++) {
      for (let name = 0; name < 25; name++) {
        const packet = Buffer.from(`name${name}:${name}|c`);
        scanner.scan(packet, 0, packet.length);
        expected.push(`name${name} c ${name}`);
      }
    }
    t.same(collector.found, expected);
    t.ok(collector.forgotten >= 6, `${collector.forgotten} times`);
    t.ok(scanner.series <= 10);
    const long = new Collector();
    const scannerOfLong = new StatsdScanner(long, { maxSeries: 1000, maxKeyBytes: 1000 });
    for (let name = 0; name < 10; name++) {
      const packet = Buffer.from(`${'x'.repeat(300)}${name}:1|c`);
      scannerOfLong.scan(packet, 0, packet.length);
    }
    t.equal(long.found.length, 10);
    t.ok(long.forgotten >= 2, 'bytes of keys are bounded too');
  },
);

t.test('100,000 series, of which no two are mistaken for each other', async (t) => {
  let told = 0;
  const names: string[] = [];
  const wrong: string[] = [];
  const scanner = new StatsdScanner(
    {
      series: (series, kind, { name }) => {
        told++;
        names[series] = `${name} ${kind}`;
      },
      forget: () => {},
      value: (series, value) => {
        if (names[series] !== `s${value} ${value % 2 === 0 ? 'c' : 'ms'}`)
          wrong.push(`${names[series]} ${value}`);
      },
      change: () => {},
      member: () => {},
      fault: (code) => wrong.push(code),
      notice: () => {},
    },
    { maxSeries: 1_000_000, maxKeyBytes: 2 ** 30 },
  );
  for (let round = 0; round < 2; round++) {
    for (let base = 0; base < 100_000; base += 1000) {
      const lines = Array.from(
        { length: 1000 },
        (_, at) => `s${base + at}:${base + at}|${at % 2 === 0 ? 'c' : 'ms'}`,
      );
      const packet = Buffer.from(lines.join('\n'));
      t.equal(scanner.scan(packet, 0, packet.length), 1000);
    }
  }
  t.equal(told, 100_000);
  t.same(wrong, []);
});

t.test('a packet of the largest size; one of empty lines; one without any line end', async (t) => {
  const full = 'hits:1|c\n'.repeat(7281);
  t.equal(Buffer.byteLength(full), 65_529);
  t.equal(scanned(full).length, 7281);
  t.same(scanned('\n'.repeat(65_536)), []);
  t.same(scanned('x'.repeat(65_536)), ['!bad_event']);
  t.same(scanned(Buffer.alloc(65_536)), ['!bad_event']);
  t.same(scanned(''), []);
  t.equal(scanned(`latency:${'1:'.repeat(30_000)}1|ms`).length, 30_001);
});
