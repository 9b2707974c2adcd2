import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** A line of a journal that is not JSON. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
}

/**
 * Rows of an NDJSON file; none when the file is not there. Throws JournalError that names the line. A last line that
 * is cut off is passed over: a kill left it half-written, so nobody was told of it.
 */
export async function* readRows<Row>(file: string): AsyncGenerator<Row> {
  if (!existsSync(file)) return
  const isWhole = await endsWithNewline(file)
  let number = 0
  let torn: JournalError | undefined
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (torn !== undefined) throw torn
    number += 1
    if (line === '') continue
    const row = parseRow(file, number, line)
    if (row instanceof JournalError) torn = row
    else yield row as Row
  }
  if (torn !== undefined && isWhole) throw torn
}

async function endsWithNewline(file: string): Promise<boolean> {
  await using handle = await open(file, 'r')
  const { size } = await handle.stat()
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(size - 1, 0))
  return bytesRead === 0 || buffer[0] === 0x0a
}

function parseRow(file: string, number: number, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    return new JournalError(`${file}:${number} is not a row`, { cause: error })
  }
}
