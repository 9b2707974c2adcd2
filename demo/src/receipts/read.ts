import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { type ColumnName, demandColumns, findColumns, parseColumnFlag, parseRange } from './columns.ts'
import { ReceiptsFileError } from './errors.ts'

/** A row as text, by meaning; absent where the file has no such column. */
export interface SourceRow {
  /** Line of the file, from 1. */
  readonly line: number
  readonly values: Readonly<Partial<Record<ColumnName, string>>>
}

/** How to read the file. */
export interface ReadOptions {
  /** `csv` has a header; `fixed` has none and takes its columns by character ranges. */
  readonly layout: 'csv' | 'fixed'
  /** The flag `--columns`; empty when not given. */
  readonly columns: string
}

const maxLineBytes = 1_000_000

/** Reads a delimited or fixed-width file, gzipped or not. Throws ReceiptsFileError when it is missing, empty, binary or wrongly mapped. */
export async function* readRows(path: string, options: ReadOptions): AsyncGenerator<SourceRow> {
  const gzipped = await inspect(path)
  const mapped = options.columns === '' ? new Map<ColumnName, string>() : parseColumnFlag(options.columns)
  const text = gzipped ? openGzip(path) : createReadStream(path)
  try {
    yield* options.layout === 'fixed' ? readFixed(text, mapped) : readCsv(text, mapped, path)
  } catch (error) {
    throw describeFailure(error, path)
  } finally {
    text.destroy()
  }
}

/** Throws ReceiptsFileError unless the file is there and looks like text or gzip. */
export async function demandReadable(path: string): Promise<void> {
  await inspect(path)
}

/** Whether the file is gzipped. */
async function inspect(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new ReceiptsFileError(`${path}: there is no such file`)
  if (!found.isFile()) throw new ReceiptsFileError(`${path}: is not a file`)
  if (found.size === 0) throw new ReceiptsFileError(`${path}: is empty`)
  const handle = await open(path)
  const head = Buffer.alloc(4096)
  const { bytesRead } = await handle.read(head, 0, head.length, 0)
  await handle.close()
  const start = head.subarray(0, bytesRead)
  if (start[0] === 0x1f && start[1] === 0x8b) return true
  if (start.includes(0)) throw new ReceiptsFileError(`${path}: is binary, not text`)
  return false
}

function openGzip(path: string): Readable {
  const source = createReadStream(path)
  const gunzip = createGunzip()
  source.on('error', (error) => gunzip.destroy(error))
  return source.pipe(gunzip)
}

async function* readCsv(
  text: Readable,
  mapped: ReadonlyMap<ColumnName, string>,
  path: string,
): AsyncGenerator<SourceRow> {
  const parser = text.pipe(
    parse({ bom: true, relax_column_count: true, skip_empty_lines: true, info: true, max_record_size: maxLineBytes }),
  )
  text.on('error', (error) => parser.destroy(error))
  let entries: readonly (readonly [ColumnName, number])[] | undefined
  for await (const record of parser) {
    const { record: cells, info } = record as { record: readonly string[]; info: { lines: number } }
    if (entries === undefined) {
      if (cells.some((cell) => cell.includes('\0'))) throw new ReceiptsFileError(`${path}: is binary, not text`)
      entries = Object.entries(findColumns(cells, mapped)) as [ColumnName, number][]
      continue
    }
    const values: Partial<Record<ColumnName, string>> = {}
    for (const [name, index] of entries) values[name] = cells[index] ?? ''
    yield { line: info.lines, values }
  }
}

async function* readFixed(text: Readable, mapped: ReadonlyMap<ColumnName, string>): AsyncGenerator<SourceRow> {
  demandColumns((name) => mapped.has(name), 'a fixed-width file has no header')
  const ranges = [...mapped].map(([name, range]) => ({ name, ...parseRange(name, range) }))
  let line = 0
  for await (const row of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    if (row.trim() === '') continue
    const values: Partial<Record<ColumnName, string>> = {}
    for (const { name, from, to } of ranges) values[name] = row.slice(from - 1, to).trim()
    yield { line, values }
  }
}

function describeFailure(error: unknown, path: string): unknown {
  if (error instanceof ReceiptsFileError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('Z_')) return new ReceiptsFileError(`${path}: is a damaged gzip file`)
  if (code.startsWith('CSV_')) return new ReceiptsFileError(`${path}: is not CSV (${(error as Error).message})`)
  return error
}
