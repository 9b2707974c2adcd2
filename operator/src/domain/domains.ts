/** Host names of a brand that have an ingress at most; the oldest is given up first. */
export const DOMAINS_MAX = 10

/**
 * The host names that need an ingress, the present one first. Former ones stay: an installed pass comes to the address
 * that it was last given, and learns of a new one by coming.
 */
export function domainsOf(present: string | undefined, former: readonly string[]): readonly string[] {
  const all = present === undefined ? former : [present, ...former.filter((domain) => domain !== present)]
  return all.slice(0, DOMAINS_MAX)
}
