/** The dashboard of docs/examples: a real Prometheus answers each of its queries. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { agentOf } from '../../agent/agent-kit.js';
import { handedOver, post, serverOf, until } from '../kit.js';
import { mappingOf } from '../statsd/kit.js';
import { events, prometheusOf, root } from './kit.js';

t.setTimeout(280_000);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly datasource?: object;
  readonly targets?: readonly { readonly expr: string; readonly datasource: object }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

/** Series that begin with the first event that is lost. */
const mayBeEmpty = /_events_dropped_total/;

const dashboard: Dashboard = JSON.parse(
  await readFile(join(root, 'docs/examples/grafana-dashboard.json'), 'utf8'),
);
const { panels } = dashboard;
const variables = dashboard.templating.list;

/** What Grafana would send to Prometheus, all tabs being chosen. */
function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$tab', '.+')
    .replaceAll('$window', '1m');
}

t.test('a real Prometheus answers every query of the dashboard', async (t) => {
  const server = await serverOf(t, { selfInstrument: true });
  const statsd = { port: 0, receiveBufferBytes: 65_536, mapping: mappingOf([]) };
  const { agent } = await agentOf(t, { servers: [server.url], statsd });
  const refused = { name: 'bids', type: 'CounterGroup', value: 'no number' };
  const record = async () => {
    const body = JSON.stringify([...events, refused]);
    await post(`${agent.url}/events`, body, { 'content-type': 'application/json' });
    await handedOver({ agent });
  };
  await record();
  const { query } = await prometheusOf(t, server, agent);
  await until('there are rates', async () => {
    const { length } = await query('rate({__name__=~"process_cpu_seconds_total|taba_tab_sum_total"}[10s])');
    return length === 2 + 2;
  });
  await record();

  let asked = 0;
  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      const expression = filledIn(expr);
      t.notMatch(expression, /\$/, `${title}: every variable is one of the dashboard's`);
      const result = await query(expression);
      t.ok(result.length > 0 || mayBeEmpty.test(expr), `${title}: ${expression}`);
      asked++;
    }
  }
  t.ok(asked >= 20, `${asked} queries`);

  for (const { name, type, query: asks } of variables) {
    if (type !== 'query') continue;
    const text = typeof asks === 'string' ? asks : asks.query;
    const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(text)!;
    const values = (await query(`group by (${label}) (${series})`)).map(({ metric }) => metric[label!]);
    const expected = { tab: events.map((event) => event.name), window: ['1m', 'all'] }[name]!;
    t.same(values.sort(), [...new Set(expected)].sort(), name);
  }
});

t.test('the dashboard is laid out well, and names no data source of its own', (t) => {
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const overlaps: string[] = [];
  const taken = new Map<string, string>();
  for (const { type, title, description = '', gridPos, datasource, targets = [] } of panels) {
    const { x, y, w, h } = gridPos;
    t.ok(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const place = `${column}:${line}`;
        if (taken.has(place)) overlaps.push(`${title} lies on ${taken.get(place)} at ${place}`);
        taken.set(place, title);
      }
    }
    if (type === 'row') continue;
    t.ok(description.length > 5, `${title} says what it shows`);
    for (const source of [datasource, ...targets.map((target) => target.datasource)]) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own way to write a variable
      t.same(source, { type: 'prometheus', uid: '${datasource}' }, title);
    }
  }
  t.same(overlaps, []);
  t.end();
});
