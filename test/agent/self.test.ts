import t from 'tap';
import { selfReport } from '../../src/agent/self.js';
import type { AgentStatus } from '../../src/agent/status.js';
import { SelfMetrics } from '../../src/intake/self-metrics.js';
import { handlers } from './fake-servers.js';
import { countsOf } from './spool/kit.js';

const status = (received: number, requests: number): AgentStatus =>
  ({
    books: { received, buffered: 4, delivered: 0, rejected: { bad_name: 10 }, dropped: {}, balance: 0 },
    requests,
    refused_bodies: 0,
    servers: [{ latency_ms: 3 }, { latency_ms: null }],
  }) as unknown as AgentStatus;

t.test('what has happened since the last look, and nothing when nothing has', async (t) => {
  const metrics = new SelfMetrics(handlers, 'host' as never);
  const first = metrics.gather(selfReport(status(100, 7), 0), 1);
  t.same(countsOf(first), {
    taba_agent_events_received: 1,
    taba_agent_events_rejected: 1,
    taba_agent_requests: 1,
    taba_agent_events_buffered: 1,
    taba_agent_ack_latency_ms: 1,
  });
  const [received] = first.entries();
  const rendered = handlers.get('CounterGroup')!.render(received!.state, 'json', { nowSec: 1 });
  t.match(rendered, { pct: { count: 1, total: 100 } });
  // Its own events alone are no news: an idle agent stays idle.
  t.equal(metrics.gather(selfReport(status(105, 7), 5), 2).events, 0);
  t.same(Object.keys(countsOf(metrics.gather(selfReport(status(106, 7), 5), 3))), [
    'taba_agent_events_received',
    'taba_agent_events_buffered',
    'taba_agent_ack_latency_ms',
  ]);
});
