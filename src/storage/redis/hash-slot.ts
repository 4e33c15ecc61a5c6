/** Slots of a Redis Cluster. */
export const slotCount = 16_384;

/**
 * The slot of a key: CRC-16 (XMODEM: polynomial 0x1021, start 0) of its hash tag, the part between the first `{` and the next
 * `}`, or of all of it where there is none, mod 16,384; as the specification of Redis Cluster has it.
 */
export function hashSlot(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of new TextEncoder().encode(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % slotCount;
}
