import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Journal } from '../journal.ts'
import type { VerifiedPass } from '../pass/bundle.ts'

/** Bundles kept whole for checks with openssl. */
export const BUNDLES_MAX = 500
/** Different images kept. */
const IMAGES_MAX = 10_000
const SHOWN_IMAGES = ['icon', 'logo', 'strip'] as const

/** The name of a bundle's file; undefined for a serial that is no safe file name. */
function fileName(serial: string): string | undefined {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(serial) ? `${serial}.pkpass` : undefined
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  await writeFile(temporary, bytes)
  await rename(temporary, path)
}

/** What phones keep on "disk": the shown pass.json, images by content, and a sample of whole bundles. */
export class Keeper implements AsyncDisposable {
  readonly #dir: string
  readonly #seed: string
  readonly #shown: Journal
  readonly #images: Set<string>
  /** Scores of kept bundles by serial. */
  readonly #sample: Map<string, string>
  #highestKept: readonly [serial: string, score: string] | undefined

  private constructor(dir: string, seed: string, shown: Journal, images: Set<string>, serials: readonly string[]) {
    this.#dir = dir
    this.#seed = seed
    this.#shown = shown
    this.#images = images
    this.#sample = new Map(serials.map((serial) => [serial, this.#score(serial)]))
  }

  /** Opens what a sandbox folder keeps. */
  static async open(dir: string, seed: string): Promise<Keeper> {
    await mkdir(join(dir, 'images'), { recursive: true })
    await mkdir(join(dir, 'bundles'), { recursive: true })
    const images = (await readdir(join(dir, 'images'))).filter((name) => !name.endsWith('.tmp'))
    const bundles = (await readdir(join(dir, 'bundles'))).filter((name) => name.endsWith('.pkpass'))
    const shown = await Journal.open(join(dir, 'shown.bin'), 'bytes')
    const serials = bundles.map((name) => name.slice(0, -'.pkpass'.length))
    return new Keeper(dir, seed, shown, new Set(images), serials)
  }

  /** Where kept pass.json texts go: it must be written before the rows that point into it. */
  get shown(): Journal {
    return this.#shown
  }

  /** Keeps a pass.json and returns its place. */
  keepJson({ files }: VerifiedPass): readonly [offset: number, length: number] {
    const bytes = deflateRawSync(files.get('pass.json') ?? Buffer.alloc(0))
    return [this.#shown.appendBytes(bytes), bytes.length]
  }

  /** Reads a kept pass.json; undefined when its place is empty. */
  async readJson([offset, length]: readonly [offset: number, length: number]): Promise<unknown> {
    if (length === 0) return undefined
    await this.#shown.flush()
    const bytes = await this.#shown.read(offset, length)
    return JSON.parse(inflateRawSync(bytes).toString('utf8'))
  }

  /** Keeps the images that a page would draw; resolves to their hashes by name. */
  async keepImages({ files }: VerifiedPass): Promise<Readonly<Record<string, string>>> {
    const hashes: Record<string, string> = {}
    for (const name of SHOWN_IMAGES) {
      const bytes = files.get(`${name}@2x.png`) ?? files.get(`${name}.png`)
      if (!bytes) continue
      const hash = createHash('sha1').update(bytes).digest('hex')
      if (!this.#images.has(hash)) {
        if (this.#images.size >= IMAGES_MAX) continue
        this.#images.add(hash)
        await writeFile(join(this.#dir, 'images', hash), bytes)
      }
      hashes[name] = hash
    }
    return hashes
  }

  /** Reads a kept image. */
  readImage(hash: string): Promise<Buffer> {
    return readFile(join(this.#dir, 'images', hash))
  }

  /** Keeps a whole bundle if its serial belongs to the sample: the lowest hashes of seed and serial. */
  async keepBundle(serial: string, bytes: Buffer): Promise<void> {
    const name = fileName(serial)
    if (!name) return
    const evicted = this.#admit(serial)
    if (evicted === 'refused') return
    if (evicted !== undefined) await unlink(join(this.#dir, 'bundles', `${evicted}.pkpass`)).catch(() => undefined)
    const path = join(this.#dir, 'bundles', name)
    await writeWhole(path, bytes)
    // Pushed out of the sample while it was being written: then the file came after its removal.
    if (!this.#sample.has(serial)) await unlink(path).catch(() => undefined)
  }

  /** Takes a serial into the sample, all in one turn: phones come side by side. Gives the serial that it pushed out. */
  #admit(serial: string): string | 'refused' | undefined {
    if (this.#sample.has(serial)) return undefined
    const score = this.#score(serial)
    const highest = this.#sample.size < BUNDLES_MAX ? undefined : this.#highest()
    if (highest && highest[1] <= score) return 'refused'
    if (highest) this.#sample.delete(highest[0])
    this.#sample.set(serial, score)
    this.#highestKept = undefined
    return highest?.[0]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shown[Symbol.asyncDispose]()
  }

  #score(serial: string): string {
    return createHash('sha256').update(this.#seed).update(serial).digest('hex')
  }

  #highest(): readonly [serial: string, score: string] | undefined {
    if (this.#highestKept) return this.#highestKept
    for (const entry of this.#sample) {
      if (!this.#highestKept || entry[1] > this.#highestKept[1]) this.#highestKept = entry
    }
    return this.#highestKept
  }
}
