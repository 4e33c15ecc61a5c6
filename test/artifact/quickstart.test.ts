/** The first command of the README, as a new user types it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

t.setTimeout(240_000);

const root = fileURLToPath(new URL('../..', import.meta.url));
const number = String.raw`-?\d+(\.\d+)?`;
const window = (name: string): string => String.raw`    "${name}": \{"count": \d+, "total": ${number}\},\n`;
const windows = ['1m', '10m', '1h', '1d'].map(window).join('');
const shape = new RegExp(
  String.raw`^winning_bid_price: \{\n${windows}    "pct": \[(${number}, ){6}${number}\]\}$`,
  'm',
);

t.test('npm run quickstart -- --once counts every event and shows the result', async (t) => {
  const { stdout } = await promisify(execFile)('npm', ['run', 'quickstart', '--', '--once'], { cwd: root });
  t.match(stdout, /\$ taba agg winning_bid_price/);
  t.match(stdout, shape);
});
