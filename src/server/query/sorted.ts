import type { QueryTurn } from './query-turn.js';

/** Merged before the next look at the clock: less than a millisecond. */
const stepsPerLook = 1024;
/** So many characters, of 7 bits each, are one whole double. */
const rankedCharacters = 7;
const rankBase = 128;

/**
 * The places of texts in the order of their code units, as `sort` has it, but in slices that let others run. Texts that are
 * equal stay in the order in which they came.
 */
export async function orderOf(texts: readonly string[], turn: QueryTurn): Promise<Uint32Array> {
  if (texts.length < 2) return Uint32Array.from(texts, (_, place) => place);
  const ranks = await ranksOf(texts, turn);
  let order = Uint32Array.from(texts, (_, place) => place);
  let merged = new Uint32Array(order.length);
  for (let width = 1; width < order.length; width *= 2) {
    for (let start = 0, steps = 0; start < order.length; start += width * 2) {
      const middle = Math.min(start + width, order.length);
      const end = Math.min(middle + width, order.length);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const isLeft =
          right === end || (left < middle && isInOrder(texts, ranks, order[left]!, order[right]!));
        merged[at] = isLeft ? order[left++]! : order[right++]!;
        if (++steps % stepsPerLook === 0 && turn.isOver) await turn.next();
      }
    }
    [order, merged] = [merged, order];
  }
  return order;
}

function isInOrder(texts: readonly string[], ranks: Float64Array, one: number, other: number): boolean {
  const difference = ranks[one]! - ranks[other]!;
  return difference === 0 ? texts[one]! <= texts[other]! : difference < 0;
}

/**
 * Of each text the characters behind those that all begin with, as one number: most texts are told apart by it, which is several
 * times as fast as comparing them. A character beyond the 7 bits, and what follows it, is not looked at.
 */
async function ranksOf(texts: readonly string[], turn: QueryTurn): Promise<Float64Array> {
  const ranks = new Float64Array(texts.length);
  const skipped = await commonLength(texts, turn);
  for (let place = 0; place < texts.length; place++) {
    const text = texts[place]!;
    const end = Math.min(text.length - skipped, rankedCharacters);
    let rank = 0;
    let at = 0;
    while (at < end) {
      const code = Math.min(text.charCodeAt(skipped + at), rankBase - 1);
      rank = rank * rankBase + code;
      at++;
      if (code === rankBase - 1) break;
    }
    ranks[place] = rank * rankBase ** (rankedCharacters - at);
    if (place % stepsPerLook === 0 && turn.isOver) await turn.next();
  }
  return ranks;
}

/** With how many characters all of the texts begin that the first one begins with. */
async function commonLength(texts: readonly string[], turn: QueryTurn): Promise<number> {
  const first = texts[0] ?? '';
  let length = first.length;
  for (let place = 1; place < texts.length && length > 0; place++) {
    const text = texts[place]!;
    let at = 0;
    while (at < length && text.charCodeAt(at) === first.charCodeAt(at)) at++;
    length = at;
    if (place % stepsPerLook === 0 && turn.isOver) await turn.next();
  }
  return length;
}
