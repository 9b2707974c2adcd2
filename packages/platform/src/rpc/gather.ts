/** A request of a stream and its place in it. */
export interface Arrived<Request> {
  /** From 0. */
  readonly index: bigint
  readonly request: Request
}

/**
 * All requests of a stream that are there, up to `max` at a time, in their order: so that they can share a transaction.
 * It waits for the first only, and reads no further while a batch is in work.
 */
export async function* gather<Request>(
  requests: AsyncIterable<Request>,
  max: number,
): AsyncIterable<readonly Arrived<Request>[]> {
  const iterator = requests[Symbol.asyncIterator]()
  let index = 0n
  let next = iterator.next()
  for (;;) {
    const first = await next
    if (first.done) return
    const batch = [{ index: index++, request: first.value }]
    next = iterator.next()
    while (batch.length < max) {
      const ready = await Promise.race([next, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))])
      if (ready === undefined || ready.done) break
      batch.push({ index: index++, request: ready.value })
      next = iterator.next()
    }
    yield batch
  }
}
