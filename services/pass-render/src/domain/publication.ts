/** What the cards of a template show. */
export interface Publication {
  readonly templateId: string
  readonly newestVersion: number
  /** 0 before the first. */
  readonly stableVersion: number
  readonly stableSeq: bigint
  /** 0 without a canary. */
  readonly canaryVersion: number
  readonly canarySeq: bigint
  /** Share of the cards that show the canary, in thousandths. */
  readonly canaryPermille: number
}

/** All cards, in thousandths. */
export const ALL_PERMILLE = 1_000
/** Odd, near 2^32 / golden ratio (Knuth, multiplicative hashing): neighbouring numbers fall into different buckets. */
export const BUCKET_FACTOR = 2_654_435_761

/** Bucket of a pass, 0 to 999: it shows a canary that goes to more thousandths than that. */
export function canaryBucket(no: bigint): number {
  return Number(((no * BigInt(BUCKET_FACTOR)) % 4_294_967_296n) % BigInt(ALL_PERMILLE))
}

/** A template that was never published. */
export function unpublished(templateId: string): Publication {
  const nothing = { newestVersion: 0, stableVersion: 0, stableSeq: 0n, canaryVersion: 0, canarySeq: 0n }
  return { templateId, ...nothing, canaryPermille: 0 }
}

/** Version and seq that a pass shows of its template. */
export function shownBy(
  no: bigint,
  publication: Publication | undefined,
): { readonly version: number; readonly seq: bigint } {
  if (publication === undefined) return { version: 0, seq: 0n }
  const { canaryPermille, canaryVersion, canarySeq, stableVersion, stableSeq } = publication
  return canaryBucket(no) < canaryPermille
    ? { version: canaryVersion, seq: canarySeq }
    : { version: stableVersion, seq: stableSeq }
}

/** Buckets from the first to before the end. */
export interface Buckets {
  readonly from: number
  readonly end: number
}

/** A publication and the buckets whose cards show something else since. */
export interface Published {
  readonly publication: Publication
  readonly affected: Buckets
}

/**
 * Publishes a version to a share of the cards. `seq` is higher than every earlier one of the brand; cards that show
 * nothing new keep theirs, so that only the others fetch.
 */
export function publish(before: Publication, version: number, permille: number, seq: bigint): Published {
  return permille < ALL_PERMILLE ? publishToSome(before, version, permille, seq) : publishToAll(before, version, seq)
}

function publishToSome(before: Publication, version: number, permille: number, seq: bigint): Published {
  const canary = { canaryVersion: version, canaryPermille: permille }
  // Cards that join see a higher seq only while the canary's is above the stable one's.
  const grows = before.canaryVersion === version && permille >= before.canaryPermille
  if (grows && before.canaryPermille > 0 && before.canarySeq > before.stableSeq) {
    return { publication: { ...before, ...canary }, affected: { from: before.canaryPermille, end: permille } }
  }
  if (permille >= before.canaryPermille) {
    return { publication: { ...before, ...canary, canarySeq: seq }, affected: { from: 0, end: permille } }
  }
  // Who falls out of the canary must see a higher seq than the canary's.
  return {
    publication: { ...before, ...canary, canarySeq: seq, stableSeq: seq },
    affected: { from: 0, end: ALL_PERMILLE },
  }
}

function publishToAll(before: Publication, version: number, seq: bigint): Published {
  const share = before.canaryPermille
  if (share > 0 && version === before.stableVersion) {
    // Roll back: the canary's cards return, the others never left.
    return { publication: { ...before, canaryVersion: version, canarySeq: seq }, affected: { from: 0, end: share } }
  }
  const stable = { ...before, stableVersion: version, stableSeq: seq }
  // Promotion: the canary's cards have it already.
  if (share > 0 && version === before.canaryVersion) {
    return { publication: stable, affected: { from: share, end: ALL_PERMILLE } }
  }
  const publication = { ...stable, canaryVersion: 0, canarySeq: 0n, canaryPermille: 0 }
  return { publication, affected: { from: 0, end: ALL_PERMILLE } }
}
