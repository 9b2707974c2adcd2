/** Keys of one statement at most. */
const MAX_KEYS = 256
/** Statements of one kind under way: one runs while the answers of the other are taken in. */
const MAX_UNDER_WAY = 2
/** Keys that wait at most; beyond that the caller is turned away. */
const MAX_WAITING = 20_000

/** Thrown when too many look-ups wait. */
export class LookUpsFullError extends Error {
  override readonly name = 'LookUpsFullError'
}

interface Waiting<Key, Value> {
  readonly key: Key
  resolve(value: Value): void
  reject(error: unknown): void
}

/**
 * Gathers look-ups of one kind into one statement: all that come in one turn of the event loop, and all that come
 * while two statements are under way. Under load a phone's look-up then costs a share of a round trip, at rest nothing
 * is waited for.
 */
export class LookUps<Key, Value> {
  readonly #load: (keys: readonly Key[]) => Promise<readonly Value[]>
  #waiting: Waiting<Key, Value>[] = []
  #underWay = 0
  #isPlanned = false

  /** `load` answers in the order of its keys. */
  constructor(load: (keys: readonly Key[]) => Promise<readonly Value[]>) {
    this.#load = load
  }

  /** The value behind a key. Throws LookUpsFullError, and whatever the statement throws. */
  get(key: Key): Promise<Value> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new LookUpsFullError('too many look-ups wait'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#isPlanned || this.#underWay >= MAX_UNDER_WAY) return
      this.#isPlanned = true
      setImmediate(() => {
        this.#isPlanned = false
        this.#start()
      })
    })
  }

  #start(): void {
    while (this.#underWay < MAX_UNDER_WAY && this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, MAX_KEYS)
      this.#underWay++
      void this.#run(taken).finally(() => {
        this.#underWay--
        this.#start()
      })
    }
  }

  async #run(taken: readonly Waiting<Key, Value>[]): Promise<void> {
    try {
      const values = await this.#load(taken.map((item) => item.key))
      for (const [index, item] of taken.entries()) item.resolve(values[index] as Value)
    } catch (error) {
      for (const item of taken) item.reject(error)
    }
  }
}
