/**
 * The decimal number with the fewest digits between `low` and `high`; among several, the one nearest to the middle.
 * So a bucket answers 26 rather than 25.97.
 *
 * @param low above or equal to 0; belongs to the interval only if `closed`
 * @param high at least `low`, belongs to the interval
 */
export function shortestDecimal(low: number, high: number, closed: boolean): number {
  if (low === high || high === 0) return high;
  const middle = low + (high - low) / 2;
  const topPower = Math.floor(Math.log10(high));
  // 17 significant digits tell any two doubles apart.
  for (let power = topPower; power > topPower - 18; power--) {
    const unit = Number(`1e${power}`);
    if (unit === 0) break;
    const nearest = Math.round(middle / unit);
    for (const multiple of [nearest, nearest - 1, nearest + 1]) {
      const candidate = Number(`${multiple}e${power}`);
      if (candidate <= high && (candidate > low || (closed && candidate === low))) return candidate;
    }
  }
  return high;
}
