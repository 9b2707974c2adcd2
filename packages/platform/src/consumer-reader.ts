import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream'

/** Turns a stream of messages into batches of what is there: it waits for the first message only. */
export class BatchReader {
  readonly #iterator: AsyncIterator<JsMsg>
  /** The read under way; kept over batches, because a read that was begun cannot be taken back. */
  #next: Promise<IteratorResult<JsMsg>> | undefined

  constructor(messages: ConsumerMessages) {
    this.#iterator = messages[Symbol.asyncIterator]()
  }

  /** The next 1 to `max` messages; undefined when there will be none any more. */
  async read(max: number): Promise<readonly JsMsg[] | undefined> {
    const first = await this.#take()
    if (first.done === true) return undefined
    return [first.value, ...(await this.readArrived(max - 1))]
  }

  /** What has arrived, at most `max` messages, without waiting for any. */
  async readArrived(max: number): Promise<readonly JsMsg[]> {
    const batch: JsMsg[] = []
    // Messages that have arrived are handed over before the event loop's next turn.
    const turn = new Promise<undefined>((resolve) => {
      setImmediate(resolve, undefined)
    })
    while (batch.length < max) {
      this.#next ??= this.#iterator.next()
      const result = await Promise.race([this.#next, turn])
      if (result === undefined || result.done === true) return batch
      this.#next = undefined
      batch.push(result.value)
    }
    return batch
  }

  async #take(): Promise<IteratorResult<JsMsg>> {
    this.#next ??= this.#iterator.next()
    const result = await this.#next
    if (result.done !== true) this.#next = undefined
    return result
  }
}
