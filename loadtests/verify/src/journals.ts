import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** A line of a journal that is not JSON. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
}

/** Rows of an NDJSON file; none when the file is not there. Throws JournalError that names the line. */
export async function* readRows<Row>(file: string): AsyncGenerator<Row> {
  if (!existsSync(file)) return
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number += 1
    if (line === '') continue
    yield parseRow(file, number, line) as Row
  }
}

function parseRow(file: string, number: number, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new JournalError(`${file}:${number} is not a row`, { cause: error })
  }
}
