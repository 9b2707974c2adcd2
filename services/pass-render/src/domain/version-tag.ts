/** Passes that one tag describes; a device with more gets all of them in each answer. */
export const MAX_TAG_PASSES = 50
/** Longest tag that is read, in characters: 50 passes of the largest numbers fit. */
export const MAX_TAG_CHARS = 4_096

/** Effective version of a pass: it shows something else as soon as any part grows. */
export interface EffectiveVersion {
  /** Of the pass's own state. */
  readonly version: bigint
  /** Of the newest message to many that holds the pass; 0 for none. */
  readonly messageSeq: bigint
  /** Of what the card shows of its template. */
  readonly designVersion: bigint
}

/** A pass of a device, as the list sees it. */
export interface ListedPass extends EffectiveVersion {
  readonly no: bigint
  readonly serial: string
}

/** What the list answers: serials that the phone has not seen as they are now, and the next tag. */
export interface ListAnswer {
  readonly serials: readonly string[]
  readonly tag: string
}

const prefix = 'v1'

/**
 * Compares the versions that the phone's tag shows with those of now. The tag holds versions per pass and is compared
 * for equality, never for order: a change that commits late still differs from what the tag shows, so none is lost.
 */
export function answerList(passes: readonly ListedPass[], tag: string): ListAnswer {
  const shown = parseTag(tag)
  const serials = passes
    .filter((pass) => shown.get(pass.no.toString(36)) !== versionText(pass))
    .map((pass) => pass.serial)
  return { serials, tag: makeTag(passes) }
}

function makeTag(passes: readonly ListedPass[]): string {
  // Too many passes for a tag: an empty one makes the next answer hold all of them again.
  const listed = passes.length > MAX_TAG_PASSES ? [] : passes
  return [prefix, ...listed.map((pass) => `${pass.no.toString(36)}.${versionText(pass)}`)].join('_')
}

/** The version as text, safe in URLs. */
export function versionText({ version, messageSeq, designVersion }: EffectiveVersion): string {
  return [version, messageSeq, designVersion].map((part) => part.toString(36)).join('.')
}

// A tag that is not ours shows nothing: the phone then gets everything, which is safe.
function parseTag(tag: string): ReadonlyMap<string, string> {
  const [head, ...items] = tag.length > MAX_TAG_CHARS ? [] : tag.split('_')
  if (head !== prefix) return new Map()
  return new Map(
    items.flatMap((item) => {
      const match = /^([0-9a-z]+)\.([0-9a-z]+\.[0-9a-z]+\.[0-9a-z]+)$/.exec(item)
      return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const]
    }),
  )
}

/** The effective version as one number: it only grows, by at least one with each change that a phone would show. */
export function changeCount({ version, messageSeq, designVersion }: EffectiveVersion): bigint {
  return version + messageSeq + designVersion
}

/** How far Last-Modified lies before the pass's creation, in seconds: room for that many changes (115 days' worth). */
const LAST_MODIFIED_ROOM_SECONDS = 10_000_000

/**
 * Last-Modified of a pass. HTTP dates have whole seconds, so a clock would give two changes of one second one date and
 * the second would be answered 304 for ever. Each part only grows, and each effective change lets one of them grow:
 * counting them as seconds is strictly monotone. It starts well before creation, for HTTP forbids a date in the future.
 */
export function lastModified(createdAt: Date, version: EffectiveVersion): Date {
  const seconds = Math.floor(createdAt.getTime() / 1000) - LAST_MODIFIED_ROOM_SECONDS
  return new Date((seconds + Number(changeCount(version))) * 1000)
}
