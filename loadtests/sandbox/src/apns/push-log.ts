import type { Journal } from '../journal.ts'
import type { Verdict } from './verdicts.ts'

/** Pushes that may wait for the journal before no more are read; what one read brings may come on top. */
export const WAITING_MAX = 20_000

/** The part of a journal that is needed here. */
export type LineJournal = Pick<Journal, 'appendLines'>

/** Writes pushes to the journal, a batch at a time, and says when there are too many of them. */
export class PushLog {
  readonly #journal: LineJournal
  #waiting = 0
  readonly #onRoom: (() => void)[] = []

  constructor(journal: LineJournal) {
    this.#journal = journal
  }

  /** Whether more pushes should wait for `whenRoom`. */
  get isFull(): boolean {
    return this.#waiting >= WAITING_MAX
  }

  /** Calls back once there is room again. */
  whenRoom(callback: () => void): void {
    this.#onRoom.push(callback)
  }

  /** Appends the lines of so many pushes; `done` runs when they are safe from a kill. */
  append(lines: string, pushes: number, done: () => void): void {
    this.#waiting += pushes
    this.#journal.appendLines(lines, () => {
      this.#waiting -= pushes
      done()
      if (this.#waiting * 2 > WAITING_MAX) return
      for (const callback of this.#onRoom.splice(0)) callback()
    })
  }
}

/** Makes the rows of one connection: the JSON of `ApnsRow` on a line, without an object of each. */
export class RowWriter {
  readonly #certUid: string
  #at = 0
  #start = ''
  #topic = ''
  #middle = ''

  /** `certUid`: pass type id of the client's certificate. */
  constructor(certUid: string) {
    this.#certUid = JSON.stringify(certUid)
  }

  /** The line of a push, with its end. Only the topic is as the client wrote it. */
  line({ at, token, topic, status, reason, apnsId }: Verdict): string {
    if (at !== this.#at) {
      this.#at = at
      this.#start = `{"at":${at},"token":"`
    }
    if (topic !== this.#topic || this.#middle === '') {
      this.#topic = topic
      this.#middle = `","topic":${JSON.stringify(topic)},"certUid":${this.#certUid},"status":`
    }
    const why = reason === undefined ? '' : `,"reason":"${reason}"`
    return `${this.#start}${token}${this.#middle}${status}${why},"apnsId":"${apnsId}"}\n`
  }
}
