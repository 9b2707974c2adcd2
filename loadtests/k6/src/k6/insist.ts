import { sleep } from 'k6'
import type { Kind } from '../plan/thresholds.ts'
import { note, noteRefusal } from './metrics.ts'

/** Tries of one call, the first included. */
const triesMax = 5
/** Pause before the first repeat, doubled each time, half of it random. */
const pauseSeconds = 0.1

/** How one try of a call ended. */
export type Attempt<T> =
  | { readonly ok: true; readonly message: T }
  | {
      readonly ok: false
      /**
       * `again`: safe to repeat with the same key; `refused`: rightly, such as for points that another till took;
       * `interrupted`: by the end of the run.
       */
      readonly outcome: 'again' | 'refused' | 'failed' | 'interrupted'
      readonly why: string
    }

/** Calls until there is an answer worth having, and writes it down; undefined without one. */
export function insist<T>(kind: Kind, attempt: () => Attempt<T>): T | undefined {
  const startedAtMs = Date.now()
  for (let tries = 1; ; tries += 1) {
    const answer = attempt()
    if (answer.ok) {
      note(kind, startedAtMs, true, tries)
      return answer.message
    }
    if (answer.outcome !== 'again' || tries === triesMax) {
      giveUp(kind, startedAtMs, answer, tries)
      return undefined
    }
    sleep(pauseSeconds * 2 ** (tries - 1) * (0.5 + Math.random() / 2))
  }
}

function giveUp(
  kind: Kind,
  startedAtMs: number,
  answer: Extract<Attempt<unknown>, { ok: false }>,
  tries: number,
): void {
  if (answer.outcome === 'interrupted') return
  if (answer.outcome === 'refused') {
    noteRefusal(kind)
    return
  }
  note(kind, startedAtMs, false, tries)
  console.error(`${kind}: ${answer.why} after ${tries} tries`)
}
