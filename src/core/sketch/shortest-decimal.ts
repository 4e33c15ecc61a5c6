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
    const unit = decimal(1, power);
    if (unit === 0) break;
    const nearest = Math.round(middle / unit);
    let candidate = decimal(nearest, power);
    if (isInside(candidate, low, high, closed)) return candidate;
    candidate = decimal(nearest - 1, power);
    if (isInside(candidate, low, high, closed)) return candidate;
    candidate = decimal(nearest + 1, power);
    if (isInside(candidate, low, high, closed)) return candidate;
  }
  return high;
}

function isInside(candidate: number, low: number, high: number, closed: boolean): boolean {
  return candidate <= high && (candidate > low || (closed && candidate === low));
}

/** The powers of ten that are whole doubles. */
const powersOfTen = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/**
 * The double nearest to `multiple` * 10^`power`, as reading the digits gives it. Where both operands are whole doubles,
 * one multiplication or division rounds just as that does (Clinger 1990, "How to read floating point numbers accurately").
 */
function decimal(multiple: number, power: number): number {
  if (Math.abs(power) >= powersOfTen.length || Math.abs(multiple) > Number.MAX_SAFE_INTEGER) {
    return Number(`${multiple}e${power}`);
  }
  return power < 0 ? multiple / powersOfTen[-power]! : multiple * powersOfTen[power]!;
}
