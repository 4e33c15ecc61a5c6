import t from 'tap';
import { type ClockJump, systemClock } from '../../src/runtime/system-clock.js';

const hourMs = 3_600_000;

/** A host whose wall clock, uptime and sleep a test turns. */
function host() {
  const at = { wallMs: 1_700_000_000_000, monotonicMs: 5000, uptimeMs: 99_000 };
  const jumps: ClockJump[] = [];
  const clock = systemClock({
    sources: {
      wallMs: () => at.wallMs,
      monotonicMs: () => at.monotonicMs,
      uptimeSec: () => Math.floor(at.uptimeMs / 1000),
    },
    onJump: (jump) => jumps.push(jump),
  });
  const pass = (ms: number) => {
    at.wallMs += ms;
    at.monotonicMs += ms;
    at.uptimeMs += ms;
    return clock.nowMs();
  };
  return { at, jumps, clock, pass };
}

t.test('an hour ahead and back: nobody notices', async (t) => {
  const { at, jumps, clock, pass } = host();
  const beginMs = clock.nowMs();
  at.wallMs += hourMs;
  t.equal(pass(1000) - beginMs, 1000);
  t.equal(pass(200_000) - beginMs, 201_000);
  at.wallMs -= hourMs;
  t.equal(pass(1000) - beginMs, 202_000);
  t.equal(pass(400_000) - beginMs, 602_000);
  t.strictSame(
    jumps.map(({ kind, aheadMs }) => [kind, aheadMs]),
    [
      ['held', hourMs],
      ['gone', hourMs],
    ],
  );
});

for (const [way, jumpMs] of [
  ['ahead', hourMs],
  ['back', -hourMs],
] as const) {
  t.test(`a jump ${way} that lasts for five minutes is adopted`, async (t) => {
    const { at, jumps, clock, pass } = host();
    const beginMs = clock.nowMs();
    at.wallMs += jumpMs;
    pass(1000);
    t.equal(pass(299_000) - beginMs, 300_000);
    pass(1000);
    t.equal(clock.nowMs(), at.wallMs);
    t.strictSame(
      jumps.map(({ kind }) => kind),
      ['held', 'adopted'],
    );
  });
}

t.test('a second jump begins the five minutes anew', async (t) => {
  const { at, clock, pass } = host();
  const beginMs = clock.nowMs();
  at.wallMs += hourMs;
  pass(200_000);
  at.wallMs += hourMs;
  t.equal(pass(200_000) - beginMs, 400_000);
  pass(300_000);
  t.equal(clock.nowMs(), at.wallMs);
});

t.test('after a sleep the wall clock is right at once; a jump of another length is not', async (t) => {
  const { at, jumps, clock, pass } = host();
  at.wallMs += hourMs;
  at.uptimeMs += hourMs;
  pass(1000);
  t.equal(clock.nowMs(), at.wallMs);
  t.match(jumps, [{ kind: 'adopted' }]);
  at.wallMs += hourMs;
  pass(1000);
  t.equal(clock.nowMs(), at.wallMs - hourMs, 'the sleep was used up');
});

t.test('small differences are followed without going back', async (t) => {
  const { at, jumps, clock, pass } = host();
  at.wallMs -= 900;
  let beforeMs = clock.nowMs();
  for (let step = 0; step < 100; step++) {
    const nowMs = pass(100);
    t.ok(nowMs > beforeMs);
    beforeMs = nowMs;
  }
  t.equal(clock.nowMs(), at.wallMs);
  t.strictSame(jumps, []);
});
