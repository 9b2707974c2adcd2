import type { IncomingMessage } from 'node:http'
import type { Scheduler, Timer } from './scheduler.ts'

/** Longest line of a watch; etcd stores objects of at most 1.5 MB. */
const lineBytesMax = 8 * 1024 * 1024

/** Thrown when a watch says nothing, not even a bookmark, for too long: the connection may be half-open. */
export class SilentWatchError extends Error {
  override readonly name = 'SilentWatchError'
  readonly code = 'silent'
}

/**
 * The lines of a streamed answer. Ends when the server ends the answer; throws SilentWatchError when nothing comes for
 * `silenceMs`, and whatever ends the connection otherwise. The answer is destroyed in any case.
 */
export async function* readLines(
  answer: IncomingMessage,
  silenceMs: number,
  scheduler: Scheduler,
): AsyncGenerator<string> {
  using silence = watchSilence(answer, silenceMs, scheduler)
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const part of answer) {
      silence.heard()
      const lines = (rest + decoder.decode(part as Buffer, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > lineBytesMax) throw new Error(`a line of the watch is longer than ${lineBytesMax} bytes`)
      for (const line of lines) if (line !== '') yield line
      // Whoever reads may have taken long: the silence counts from when we listen again.
      silence.heard()
    }
  } finally {
    answer.destroy()
  }
}

interface Silence extends Disposable {
  heard(): void
}

function watchSilence(answer: IncomingMessage, silenceMs: number, scheduler: Scheduler): Silence {
  let timer: Timer | undefined
  const heard = (): void => {
    timer?.[Symbol.dispose]()
    timer = scheduler.after(silenceMs, () => answer.destroy(new SilentWatchError(`silent for ${silenceMs} ms`)))
  }
  heard()
  return { heard, [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
}
