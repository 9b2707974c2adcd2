import { type Clock, type Logger, openSealed, SealError, type ServiceClient, sealedAad } from '@stampede/platform'
import type { EnrollmentServiceService, MemberKey } from '@stampede/proto/enrollment/v1'
import type { MemberView } from './domain/card.ts'
import type { Meters } from './metrics.ts'

/** How long a member's key stays in memory, in milliseconds: the design allows five minutes. */
const KEY_LIFE_MS = 5 * 60_000
/** Keys in memory at most. */
const MAX_KEYS = 50_000
/** Members of one look-up at most; enrollment's own limit. */
const MAX_LOOKUP = 1_000
/** How long look-ups are gathered, in milliseconds. */
const GATHER_MS = 3
/** A phone waits for its pass meanwhile. */
const LOOKUP_DEADLINE_MS = 1_000
/** After a failure nothing is asked for so long: a pass without a name beats a pass that waits. */
const PAUSE_AFTER_FAILURE_MS = 1_000

/** A name for a card: known (perhaps empty), or not to be had now. */
export type NameLookup = { readonly known: true; readonly name: string } | { readonly known: false }

interface Waiting {
  readonly memberId: string
  resolve(key: MemberKey | undefined | 'failed'): void
}

/** The part of enrollment's client that is used. */
export type KeyClient = Pick<ServiceClient<typeof EnrollmentServiceService>, 'getMemberKeys'>

const noName: NameLookup = { known: true, name: '' }

/** First names of members, opened with keys that enrollment lends; never stored. */
export class Names {
  readonly #client: KeyClient | undefined
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #meters: Meters
  readonly #keys = new Map<string, { readonly key: MemberKey; readonly untilMs: number }>()
  readonly #waiting = new Map<string, Waiting[]>()
  #pausedUntilMs = 0

  constructor(client: KeyClient | undefined, clock: Clock, logger: Logger, meters: Meters) {
    this.#client = client
    this.#clock = clock
    this.#logger = logger
    this.#meters = meters
  }

  /** The member's first name; `known: false` when enrollment does not answer. */
  async find(brand: string, member: MemberView): Promise<NameLookup> {
    const sealed = member.sealedName
    if (sealed === undefined || member.status !== 'active') return noName
    const key = await this.#key(brand, member.memberId, sealed.keyVersion)
    if (key === 'failed') return { known: false }
    if (key === undefined) return noName
    try {
      return { known: true, name: openSealed(key.key, sealed, sealedAad(brand, member.memberId, 'first_name')) }
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      this.#logger.warn({ brand, memberId: member.memberId }, 'a sealed name cannot be opened')
      return noName
    }
  }

  async #key(brand: string, memberId: string, version: number): Promise<MemberKey | undefined | 'failed'> {
    const known = this.#keys.get(`${brand}/${memberId}`)
    if (known !== undefined && known.untilMs > this.#clock.nowMs() && known.key.keyVersion === version) return known.key
    if (this.#client === undefined) return undefined
    if (this.#clock.nowMs() < this.#pausedUntilMs) return 'failed'
    const { promise, resolve } = Promise.withResolvers<MemberKey | undefined | 'failed'>()
    this.#enqueue(brand, { memberId, resolve })
    const key = await promise
    return key === 'failed' || key?.keyVersion === version ? key : undefined
  }

  #enqueue(brand: string, waiting: Waiting): void {
    const list = this.#waiting.get(brand)
    if (list === undefined) {
      this.#waiting.set(brand, [waiting])
      setTimeout(() => this.#flush(brand), GATHER_MS)
      return
    }
    list.push(waiting)
    if (list.length >= MAX_LOOKUP) this.#flush(brand)
  }

  #flush(brand: string): void {
    const list = this.#waiting.get(brand)
    if (list === undefined) return
    this.#waiting.delete(brand)
    this.#lookUp(brand, list).catch((error: unknown) => {
      this.#pausedUntilMs = this.#clock.nowMs() + PAUSE_AFTER_FAILURE_MS
      this.#meters.nameFailures.inc()
      this.#logger.warn({ err: error, brand }, 'member keys cannot be had, cards go out without a name')
      for (const waiting of list) waiting.resolve('failed')
    })
  }

  async #lookUp(brand: string, list: readonly Waiting[]): Promise<void> {
    const memberIds = [...new Set(list.map((waiting) => waiting.memberId))]
    const answer = await this.#client?.getMemberKeys({ brand, memberIds }, { deadlineMs: LOOKUP_DEADLINE_MS })
    const byMember = new Map(answer?.keys.map((key) => [key.memberId, key]))
    for (const key of byMember.values()) this.#remember(brand, key)
    for (const waiting of list) waiting.resolve(byMember.get(waiting.memberId))
  }

  #remember(brand: string, key: MemberKey): void {
    const id = `${brand}/${key.memberId}`
    this.#keys.delete(id)
    this.#keys.set(id, { key, untilMs: this.#clock.nowMs() + KEY_LIFE_MS })
    const oldest = this.#keys.keys().next().value
    if (this.#keys.size > MAX_KEYS && oldest !== undefined) this.#keys.delete(oldest)
  }
}
