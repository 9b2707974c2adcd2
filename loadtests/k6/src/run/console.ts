import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** What k6's console told. */
export interface ConsoleEnd {
  /** Lines that went to the till journal. */
  readonly acknowledged: number
  /** Receipts and returns among them: a repeat is acknowledged again under its key. */
  readonly keys: number
  /** Exceptions of the scripts themselves: the run is worth nothing. */
  readonly exceptions: number
  /** First lines of what went wrong. */
  readonly complaints: readonly string[]
  /** How many there were. */
  readonly complaintCount: number
}

interface ConsoleLine {
  readonly level: string
  readonly msg: string
  readonly source?: string
}

const complaintsKept = 20

/** Sorts k6's console: acknowledgements go to the journal that verify reads, everything else is told. */
export async function sortConsole(consoleFile: string, journalFile: string): Promise<ConsoleEnd> {
  const journal = createWriteStream(journalFile, { flags: 'a' })
  const complaints: string[] = []
  const keys = new Set<string>()
  let [acknowledged, exceptions, complaintCount] = [0, 0, 0]
  for await (const text of createInterface({ input: createReadStream(consoleFile) })) {
    const line = parse(text)
    if (line === undefined) continue
    if (line.level === 'info' && line.source === 'console') {
      acknowledged += 1
      keys.add((JSON.parse(line.msg) as { readonly key: string }).key)
      if (!journal.write(`${line.msg}\n`)) await once(journal, 'drain')
    } else if (line.level === 'error' || line.level === 'warning') {
      if (line.source === 'stacktrace') exceptions += 1
      complaintCount += 1
      if (complaints.length < complaintsKept) complaints.push(line.msg)
    }
  }
  journal.end()
  await once(journal, 'finish')
  return { acknowledged, keys: keys.size, exceptions, complaints, complaintCount }
}

function parse(text: string): ConsoleLine | undefined {
  try {
    return JSON.parse(text) as ConsoleLine
  } catch {
    // A last line that was cut off with k6 itself.
    return undefined
  }
}
