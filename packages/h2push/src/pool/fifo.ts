/** Slots that may be empty before the array is packed. */
const PACK_AT = 1_024

/** A queue whose both ends are cheap. What was taken is not kept alive. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** The first one; undefined when empty. */
  peek(): T | undefined {
    return this.#items[this.#head]
  }

  /** Adds behind the last. */
  push(item: T): void {
    this.#items.push(item)
  }

  /** Adds before the first. */
  unshift(item: T): void {
    if (this.#head === 0) {
      this.#items.unshift(item)
      return
    }
    this.#head -= 1
    this.#items[this.#head] = item
  }

  /** Takes the first one; undefined when empty. */
  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head > PACK_AT && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Leaves only those that are wanted. */
  retain(isWanted: (item: T) => boolean): void {
    this.#items = [...this].filter(isWanted)
    this.#head = 0
  }

  /** All, first to last. */
  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#head; at < this.#items.length; at += 1) {
      const item = this.#items[at]
      if (item !== undefined) yield item
    }
  }
}
