import type { TokenState } from '../apns/directory.ts'
import type { InstallRow, PhoneRow, ShowRow } from '../rows.ts'

/** A text on the lock screen. */
export interface Notification {
  /** Unix ms. */
  readonly at: number
  readonly text: string
}

/** A pass as a phone holds it: small, because there may be a hundred thousand. */
export interface HeldPass {
  readonly serial: string
  readonly passTypeId: string
  readonly url: string
  readonly webServiceUrl: string
  readonly authToken: string
  lastModified: string
  /** JSON of shown values by field key. */
  shown: string
  /** When `shown` was drawn, Unix ms; 0: a kill came between installation and drawing. */
  shownAt: number
  /** Place of the kept pass.json. */
  stored: readonly [offset: number, length: number]
  /** Hashes of kept images by name; shared between phones with the same ones. */
  images: Readonly<Record<string, string>>
  /** Newest last, at most NOTIFICATIONS_MAX. */
  notifications: readonly Notification[]
}

/** One phone. */
export interface Phone {
  readonly id: string
  /** deviceLibraryIdentifier. */
  readonly device: string
  /** Push token, lower-case hex. */
  readonly token: string
  passes: readonly HeldPass[]
  /** Tag of the last complete visit, by pass type. */
  tags: Readonly<Record<string, string>>
  /** Pass types that were removed, and when (Unix ms). */
  gone: Readonly<Record<string, number>>
  /** Pass types with a wake-up that no visit has begun to answer. */
  pending: readonly string[]
  /** In the queue, at work, or waiting to try again. */
  busy: boolean
}

/** Counts of journal rows, over restarts. */
export interface PhoneCounts {
  /** Visits that got an answer to their list. */
  visits: number
  fetches: number
  /** Bundles that verified from end to end. */
  verified: number
  failed: number
  shown: number
}

/** Notifications kept per pass. */
export const NOTIFICATIONS_MAX = 20

/** All phones, found by name, token and serial. */
export class PhoneRegistry {
  readonly #byId = new Map<string, Phone>()
  readonly #byToken = new Map<string, Phone>()
  readonly #bySerial = new Map<string, Phone>()
  readonly #images = new Map<string, Readonly<Record<string, string>>>()
  readonly counts: PhoneCounts = { visits: 0, fetches: 0, verified: 0, failed: 0, shown: 0 }
  #installed = 0

  /** Passes on phones. */
  get installed(): number {
    return this.#installed
  }

  /** A phone by its name. */
  get(id: string): Phone | undefined {
    return this.#byId.get(id)
  }

  /** A phone by its push token. */
  byToken(token: string): Phone | undefined {
    return this.#byToken.get(token)
  }

  /** The phone that installed a serial last, while it still has it. */
  bySerial(serial: string): Phone | undefined {
    return this.#bySerial.get(serial)
  }

  /** All phones in the order of their first installation. */
  all(): IterableIterator<Phone> {
    return this.#byId.values()
  }

  /** A pass on a phone. */
  pass(phone: Phone, passTypeId: string, serial: string): HeldPass | undefined {
    return phone.passes.find((held) => held.serial === serial && held.passTypeId === passTypeId)
  }

  /** What APNs knows of a token and a topic. */
  look(token: string, topic: string): TokenState {
    const phone = this.#byToken.get(token)
    if (!phone) return { kind: 'unknown' }
    if (phone.passes.some(({ passTypeId }) => passTypeId === topic)) return { kind: 'active' }
    const sinceMs = phone.gone[topic]
    return sinceMs === undefined ? { kind: 'other-topic' } : { kind: 'gone', sinceMs }
  }

  /** Applies a journal row: the one way in which state changes, live and at restart. */
  apply(row: PhoneRow): void {
    this.#count(row)
    if (row.event === 'install') {
      this.#install(row)
      return
    }
    const phone = this.#byId.get(row.phone)
    if (!phone) return
    if (row.event === 'show') this.#show(phone, row)
    else if (row.event === 'done') phone.tags = { ...phone.tags, [row.passTypeId]: row.tag }
    else if (row.event === 'remove') this.#remove(phone, row.passTypeId, row.serial, row.at)
  }

  #count(row: PhoneRow): void {
    const { counts } = this
    if (row.event === 'list') counts.visits += 1
    else if (row.event === 'fetch') counts.fetches += 1
    else if (row.event === 'fail') counts.failed += 1
    else if (row.event === 'show') {
      // Only what has verified is shown.
      counts.verified += 1
      counts.shown += 1
    }
  }

  #install(row: InstallRow): void {
    const known = this.#byId.get(row.phone)
    const phone: Phone = known ?? {
      id: row.phone,
      device: row.device,
      token: row.token,
      passes: [],
      tags: {},
      gone: {},
      pending: [],
      busy: false,
    }
    if (this.pass(phone, row.passTypeId, row.serial)) this.#drop(phone, row.passTypeId, row.serial)
    const { serial, passTypeId, url, webServiceUrl, authToken } = row
    const held: HeldPass = {
      serial,
      passTypeId,
      url,
      webServiceUrl,
      authToken,
      lastModified: '',
      shown: '{}',
      shownAt: 0,
      stored: [0, 0],
      images: {},
      notifications: [],
    }
    phone.passes = [...phone.passes, held]
    this.#byId.set(phone.id, phone)
    this.#byToken.set(phone.token, phone)
    this.#bySerial.set(serial, phone)
    this.#installed += 1
  }

  #show(phone: Phone, row: ShowRow): void {
    const held = this.pass(phone, row.passTypeId, row.serial)
    if (!held) return
    held.lastModified = row.lastModified
    held.shown = JSON.stringify(row.fields)
    held.shownAt = row.at
    held.stored = row.stored
    const key = JSON.stringify(row.images)
    const images = this.#images.get(key) ?? row.images
    this.#images.set(key, images)
    held.images = images
    const texts = row.changes.filter(({ text }) => text !== '').map(({ text }) => ({ at: row.at, text }))
    if (texts.length > 0) held.notifications = [...held.notifications, ...texts].slice(-NOTIFICATIONS_MAX)
  }

  #drop(phone: Phone, passTypeId: string, serial: string): void {
    const kept = phone.passes.filter((held) => held.serial !== serial || held.passTypeId !== passTypeId)
    this.#installed -= phone.passes.length - kept.length
    phone.passes = kept
    if (this.#bySerial.get(serial) === phone) this.#bySerial.delete(serial)
  }

  #remove(phone: Phone, passTypeId: string, serial: string, atMs: number): void {
    this.#drop(phone, passTypeId, serial)
    if (phone.passes.some((held) => held.passTypeId === passTypeId)) return
    phone.gone = { ...phone.gone, [passTypeId]: atMs }
    const { [passTypeId]: _forgotten, ...tags } = phone.tags
    phone.tags = tags
  }
}
