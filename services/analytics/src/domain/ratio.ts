/** Part by whole; undefined when the whole is not above zero, for then there is no ratio, not one of 0. */
export function ratio(part: bigint, whole: bigint): number | undefined {
  return whole > 0n ? Number(part) / Number(whole) : undefined
}
