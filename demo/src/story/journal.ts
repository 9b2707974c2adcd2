import { createReadStream, statSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** Length of a journal now, 0 when there is none yet: where reading what comes next begins. */
export function journalEnd(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** Rows of a journal from an offset on; a last line that is still being written is left out. */
export async function* readJournal<Row>(file: string, from = 0): AsyncGenerator<Row> {
  const end = journalEnd(file)
  if (end <= from) return
  const input = createReadStream(file, { start: from, end: end - 1 })
  let held: string | undefined
  for await (const line of createInterface({ input })) {
    if (held !== undefined) yield JSON.parse(held) as Row
    held = line
  }
  if (held === undefined) return
  try {
    yield JSON.parse(held) as Row
  } catch {
    // The writer is in the middle of this line.
  }
}
