import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** Rows that nobody waits for are written at the latest after this. */
const LAZY_WRITE_MS = 40
/** Longest line that is read back at start, bytes: a torn tail is searched within this. */
const LINE_BYTES_MAX = 4 * 1024 * 1024

/** Now in Unix ms with fraction. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

async function endOfLastLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  const length = Math.min(size, LINE_BYTES_MAX)
  const tail = Buffer.alloc(length)
  await file.read(tail, 0, length, size - length)
  return size - length + tail.lastIndexOf(0x0a) + 1
}

/**
 * An append-only file written by group commit: what is appended while a write runs goes into the next one, and
 * rows without `done` wait up to 40 ms for company.
 * Acknowledgements wait for `done`, called once the operating system holds the bytes, so that killing the
 * process loses nothing acknowledged. The queue is bounded by its callers, who wait for `done`.
 */
export class Journal implements AsyncDisposable {
  readonly path: string
  readonly #file: FileHandle
  #pending: (string | Uint8Array)[] = []
  #waiting: (() => void)[] = []
  #writing: Promise<void> | undefined
  #end: number
  #failure: Error | undefined
  #lazy: NodeJS.Timeout | undefined
  readonly #predecessor: Journal | undefined

  private constructor(path: string, file: FileHandle, end: number, predecessor: Journal | undefined) {
    this.#predecessor = predecessor
    this.path = path
    this.#file = file
    this.#end = end
  }

  /**
   * Opens or creates; `lines` cuts off a line that a kill left half-written. What a row refers to in `predecessor`
   * is written before the row.
   */
  static async open(path: string, kind: 'lines' | 'bytes', predecessor?: Journal): Promise<Journal> {
    const file = await open(path, 'a+')
    const end = kind === 'lines' ? await endOfLastLine(file) : (await file.stat()).size
    await file.truncate(end)
    return new Journal(path, file, end, predecessor)
  }

  /** Bytes appended so far, also those not written yet. */
  get end(): number {
    return this.#end
  }

  /** Appends one row; `done` runs when it is safe from a kill. */
  append(row: object, done?: () => void): void {
    this.#push(`${JSON.stringify(row)}\n`, done)
  }

  /** Appends rows that are written as JSON already, each with its line end; `done` as with `append`. */
  appendLines(lines: string, done: () => void): void {
    this.#push(lines, done)
  }

  /** Appends raw bytes and returns where they start. */
  appendBytes(bytes: Uint8Array): number {
    const start = this.#end
    this.#push(bytes, undefined)
    return start
  }

  /** Resolves when everything appended so far is written. */
  async flush(): Promise<void> {
    while (this.#writing || this.#pending.length > 0) await this.#start()
    if (this.#failure) throw this.#failure
  }

  /** Reads a range back. */
  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await this.#file.read(bytes, 0, length, offset)
    return bytes.subarray(0, bytesRead)
  }

  /** Flushes, syncs to the disk and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
    await this.#file.sync()
    await this.#file.close()
  }

  #push(part: string | Uint8Array, done: (() => void) | undefined): void {
    if (this.#failure) throw this.#failure
    this.#pending.push(part)
    this.#end += typeof part === 'string' ? Buffer.byteLength(part) : part.length
    if (done) {
      this.#waiting.push(done)
      void this.#start()
    } else if (!this.#writing) {
      this.#lazy ??= setTimeout(() => void this.#start(), LAZY_WRITE_MS)
    }
  }

  /** Never rejects: a failure is kept and thrown to the next caller. */
  #start(): Promise<void> {
    clearTimeout(this.#lazy)
    this.#lazy = undefined
    this.#writing ??= this.#drain()
    return this.#writing
  }

  async #drain(): Promise<void> {
    try {
      // One turn of the loop lets the requests of one read share a write.
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#pending.length > 0) {
        const [parts, waiting] = [this.#pending, this.#waiting]
        this.#pending = []
        this.#waiting = []
        await this.#predecessor?.flush()
        await this.#write(parts)
        for (const done of waiting) done()
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#pending = []
    } finally {
      this.#writing = undefined
    }
  }

  async #write(parts: readonly (string | Uint8Array)[]): Promise<void> {
    const textual = parts.every((part) => typeof part === 'string')
    const bytes = textual
      ? Buffer.from(parts.join(''))
      : Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
    for (let offset = 0; offset < bytes.length; ) {
      offset += (await this.#file.write(bytes, offset)).bytesWritten
    }
  }
}

/** Reads the rows of a journal in order; an absent file has none. */
export async function* readRows<Row>(path: string): AsyncGenerator<Row> {
  const input = createReadStream(path, { highWaterMark: 1 << 20 })
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield JSON.parse(line) as Row
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
