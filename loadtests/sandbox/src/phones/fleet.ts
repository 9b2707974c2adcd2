import { createSecureContext } from 'node:tls'
import type { TokenDirectory, TokenState } from '../apns/directory.ts'
import type { PhoneFaults } from '../faults.ts'
import { type Journal, nowMs } from '../journal.ts'
import { createBundleVerifier } from '../pass/bundle.ts'
import type { PhoneRow } from '../rows.ts'
import { type InstallRequest, install, remove } from './install.ts'
import type { Keeper } from './keeper.ts'
import { Queue } from './queue.ts'
import { type Phone, type PhoneCounts, PhoneRegistry } from './registry.ts'
import type { Trouble } from './service.ts'
import { type PhoneWorld, record, visit } from './visit.ts'

/** What the phones are built from. */
export interface FleetOptions {
  readonly journal: Journal
  readonly keeper: Keeper
  /** Root that signatures must reach. */
  readonly rootPem: string
  /** Root that the web service's certificate must reach. */
  readonly webRootPem: string
  readonly faults: () => PhoneFaults
}

/** Counts of the fleet. */
export interface FleetStatistics extends Readonly<PhoneCounts> {
  /** Passes on phones. */
  readonly installed: number
  /** Phones that wait for their turn. */
  readonly waiting: number
  /** Phones at work. */
  readonly working: number
  /** Phones that wait to try again. */
  readonly retrying: number
}

/** What a phone shows of a pass. */
export interface ShownPass {
  readonly phone: string
  readonly serial: string
  readonly passTypeId: string
  readonly shownAt: number
  readonly fields: Readonly<Record<string, string>>
  readonly notifications: readonly { readonly at: number; readonly text: string }[]
  readonly passJson: unknown
  /** Base64 PNGs by name: icon, logo, strip. */
  readonly images: Readonly<Record<string, string>>
}

/** Result of a removal by serial. */
export interface Removal {
  readonly removed: number
  readonly failures: readonly { readonly serial: string; readonly reason: string }[]
}

/** Tries of a visit before the phone waits for the next push. */
export const VISIT_TRIES_MAX = 10
const RETRY_WAIT_MAX_MS = 60_000

/** All phones: they take pushes, visit the web service a few at a time, and try again when it fails. */
export class Fleet implements TokenDirectory, AsyncDisposable {
  readonly registry = new PhoneRegistry()
  readonly #world: PhoneWorld
  readonly #faults: () => PhoneFaults
  readonly #queue = new Queue<Phone>()
  readonly #timers = new Map<Phone, { readonly timer: NodeJS.Timeout; readonly askedFor: boolean }>()
  readonly #tries = new Map<Phone, number>()
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  constructor({ journal, keeper, rootPem, webRootPem, faults }: FleetOptions) {
    this.#faults = faults
    this.#world = {
      registry: this.registry,
      journal,
      keeper,
      verifier: createBundleVerifier(rootPem),
      trust: createSecureContext({ ca: webRootPem, minVersion: 'TLSv1.2' }),
    }
  }

  look(token: string, topic: string): TokenState {
    return this.registry.look(token, topic)
  }

  deliver(token: string, topic: string): void {
    const phone = this.registry.byToken(token)
    if (!phone || this.#stopped) return
    const coalesced = phone.pending.includes(topic)
    record(this.#world, { at: nowMs(), phone: phone.id, event: 'push', passTypeId: topic, token, coalesced })
    this.wake(phone, topic)
  }

  /** Lets a phone visit for a pass type; used for pushes and, at start, for those that a kill left unanswered. */
  wake(phone: Phone, topic: string): void {
    if (!phone.pending.includes(topic)) phone.pending = [...phone.pending, topic]
    const wait = this.#timers.get(phone)
    // A push ends the wait for the next try, but not one that the server asked for.
    if (wait && !wait.askedFor) {
      clearTimeout(wait.timer)
      this.#timers.delete(phone)
      this.#tries.delete(phone)
      this.#enqueue(phone)
    } else if (!phone.busy) {
      phone.busy = true
      this.#enqueue(phone)
    }
  }

  /** Starts as many waiting phones as may work at once; called also when the limit was raised. */
  pump(): void {
    while (!this.#stopped && this.#running.size < this.#faults().concurrency) {
      const phone = this.#queue.shift()
      if (!phone) return
      const work = this.#work(phone).finally(() => {
        this.#running.delete(work)
        this.pump()
      })
      this.#running.add(work)
    }
  }

  /** Installs a pass; resolves to what went wrong. */
  install(request: InstallRequest): Promise<string | undefined> {
    return install(this.#world, request)
  }

  /** Deletes passes by serial from the phones that show them. */
  async remove(serials: readonly string[], silently: boolean): Promise<Removal> {
    let removed = 0
    const failures: { serial: string; reason: string }[] = []
    for (const serial of serials) {
      const phone = this.registry.bySerial(serial)
      const held = phone?.passes.find((pass) => pass.serial === serial)
      const reason = phone && held ? await remove(this.#world, phone, held, silently) : 'not on a phone'
      if (reason === undefined) removed += 1
      else failures.push({ serial, reason })
    }
    return { removed, failures }
  }

  /** What the phone with this serial shows. */
  async shown(serial: string): Promise<ShownPass | undefined> {
    const phone = this.registry.bySerial(serial)
    const held = phone?.passes.find((pass) => pass.serial === serial)
    if (!phone || !held) return undefined
    const { keeper } = this.#world
    const images: Record<string, string> = {}
    for (const [name, hash] of Object.entries(held.images))
      images[name] = (await keeper.readImage(hash)).toString('base64')
    return {
      phone: phone.id,
      serial,
      passTypeId: held.passTypeId,
      shownAt: held.shownAt,
      fields: JSON.parse(held.shown) as Record<string, string>,
      notifications: held.notifications,
      passJson: await keeper.readJson(held.stored),
      images,
    }
  }

  statistics(): FleetStatistics {
    return {
      ...this.registry.counts,
      installed: this.registry.installed,
      waiting: this.#queue.length,
      working: this.#running.size,
      retrying: this.#timers.size,
    }
  }

  /** Lets visits under way end; what waits is taken up from the journal at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    for (const { timer } of this.#timers.values()) clearTimeout(timer)
    await Promise.allSettled(this.#running)
  }

  #enqueue(phone: Phone): void {
    this.#queue.push(phone)
    this.pump()
  }

  async #work(phone: Phone): Promise<void> {
    while (!this.#stopped) {
      const [topic] = phone.pending
      if (topic === undefined) break
      phone.pending = phone.pending.slice(1)
      const startedAt = nowMs()
      const trouble = await this.#visit(phone, topic, startedAt)
      if (trouble && this.#postpone(phone, topic, trouble, startedAt)) return
      this.#tries.delete(phone)
    }
    phone.busy = false
  }

  async #visit(phone: Phone, topic: string, startedAt: number): Promise<Trouble | undefined> {
    try {
      return await visit(this.#world, phone, topic, startedAt)
    } catch (error) {
      return { reason: `phone broke: ${error instanceof Error ? error.message : String(error)}`, retryable: false }
    }
  }

  /** Writes the failure; true when the phone will try again. */
  #postpone(phone: Phone, topic: string, trouble: Trouble, startedAt: number): boolean {
    const tries = (this.#tries.get(phone) ?? 0) + 1
    const again = trouble.retryable && tries < VISIT_TRIES_MAX && !this.#stopped
    const row: PhoneRow = {
      at: nowMs(),
      phone: phone.id,
      event: 'fail',
      passTypeId: topic,
      token: phone.token,
      reason: trouble.reason,
      final: !again && !this.#stopped,
      startedAt,
    }
    record(this.#world, row)
    if (!again) return false
    this.#tries.set(phone, tries)
    if (!phone.pending.includes(topic)) phone.pending = [topic, ...phone.pending]
    const growing = Math.min(this.#faults().retryBaseMs * 2 ** (tries - 1), RETRY_WAIT_MAX_MS)
    const waitMs = Math.max(trouble.retryAfterMs ?? 0, growing * (0.75 + Math.random() / 2))
    const timer = setTimeout(() => {
      this.#timers.delete(phone)
      this.#enqueue(phone)
    }, waitMs)
    this.#timers.set(phone, { timer, askedFor: trouble.retryAfterMs !== undefined })
    return true
  }
}
