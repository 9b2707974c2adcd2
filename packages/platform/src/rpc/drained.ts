import type { EventEmitter } from 'node:events'

/** What ends the wait: room for more, or that nobody will read it any more. */
const ends = ['drain', 'close', 'cancelled'] as const

/** Resolves when a call takes more, or never will; leaves no listener behind. */
export function drained(call: EventEmitter): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = (): void => {
    for (const name of ends) call.off(name, end)
    resolve()
  }
  for (const name of ends) call.on(name, end)
  return promise
}
