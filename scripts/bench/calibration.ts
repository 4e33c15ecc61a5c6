const line = '["CounterGroup", 1396980134.25, "1.5"]';
const rounds = 400_000;

/**
 * How fast a core is at this moment: CPU ns of one `JSON.parse` of an event line. Machines that others share drift by a factor
 * of two within minutes, so that figures mean something only beside this one.
 */
export function calibrationNs(): number {
  let sum = 0;
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) sum += (JSON.parse(line) as [string, number, string])[1];
  const { user, system } = process.cpuUsage(before);
  if (!(sum > 0)) throw new Error('nothing was parsed');
  return ((user + system) * 1000) / rounds;
}
