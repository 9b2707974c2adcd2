import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AppleCredential,
  type GoogleCredential,
  parseAppleCredential,
  parseGoogleCredential,
} from './credential-files.ts'
import type { Logger } from './log.ts'

/** Where the credentials are. */
export interface CredentialsOptions {
  /** Folder with `shard-NN/<brand>.apple.pem` and `shard-NN/<brand>.google.json`. */
  readonly dir: string
  readonly logger: Logger
}

/** Credentials of all brands, kept up to date with their files; disposing stops looking. */
export interface Credentials extends AsyncDisposable {
  apple(brand: string): AppleCredential | undefined
  google(brand: string): GoogleCredential | undefined
  /** Calls the listener after each change of a brand's credentials. */
  onChange(listener: (brand: string) => void): void
}

/** Mounted Secrets are replaced by links, of which file watchers hear nothing reliable: so the files are looked at. */
const pollMs = 2_000
const fileBytesMax = 65_536
const filesMax = 20_000
const filePattern = /^([a-z0-9-]{1,40})\.(apple\.pem|google\.json)$/
const shardPattern = /^shard-\d\d$/

/** Reads all credentials, then looks for changes every 2 s. A file that cannot be read keeps its last good content. */
export async function openCredentials({ dir, logger }: CredentialsOptions): Promise<Credentials> {
  const store = new CredentialStore(dir, logger)
  await store.scan()
  const stopping = new AbortController()
  const running = poll(store, stopping.signal)
  return {
    apple: (brand) => store.apple.get(brand),
    google: (brand) => store.google.get(brand),
    onChange: (listener) => {
      store.listeners.push(listener)
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await running
    },
  }
}

async function poll(store: CredentialStore, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await sleep(pollMs, undefined, { signal: stopping, ref: false }).catch(() => undefined)
    if (!stopping.aborted) await store.scan()
  }
}

class CredentialStore {
  readonly apple = new Map<string, AppleCredential>()
  readonly google = new Map<string, GoogleCredential>()
  readonly listeners: ((brand: string) => void)[] = []
  readonly #dir: string
  readonly #logger: Logger
  /** Path -> what the file looked like when it was read last. */
  readonly #seen = new Map<string, string>()

  constructor(dir: string, logger: Logger) {
    this.#dir = dir
    this.#logger = logger
  }

  async scan(): Promise<void> {
    const present = new Set<string>()
    const changed = new Set<string>()
    for (const path of await this.#list()) {
      present.add(path)
      if (await this.#load(path)) changed.add(brandOf(path))
    }
    for (const path of this.#seen.keys()) {
      if (present.has(path)) continue
      this.#seen.delete(path)
      if (this.#mapOf(path).delete(brandOf(path))) changed.add(brandOf(path))
    }
    for (const brand of changed) for (const listener of this.listeners) listener(brand)
  }

  async #list(): Promise<readonly string[]> {
    const paths: string[] = []
    for (const shard of await namesIn(this.#dir)) {
      if (!shardPattern.test(shard)) continue
      for (const name of await namesIn(join(this.#dir, shard))) {
        if (filePattern.test(name)) paths.push(join(this.#dir, shard, name))
      }
    }
    if (paths.length > filesMax)
      this.#logger.error({ files: paths.length }, 'too many credentials, the rest is ignored')
    return paths.slice(0, filesMax)
  }

  /** Whether the brand's credential is now another. */
  async #load(path: string): Promise<boolean> {
    const brand = brandOf(path)
    try {
      const { mtimeMs, size, ino } = await stat(path)
      const look = `${mtimeMs} ${size} ${ino}`
      if (this.#seen.get(path) === look) return false
      this.#seen.set(path, look)
      if (size > fileBytesMax) throw new Error(`larger than ${fileBytesMax} bytes`)
      const text = await readFile(path, 'utf8')
      return path.endsWith('.apple.pem')
        ? replace(this.apple, brand, parseAppleCredential(text))
        : replace(this.google, brand, parseGoogleCredential(text))
    } catch (error) {
      // Never the content: the message names the part that is wrong.
      const reason = error instanceof Error ? error.message : 'unknown'
      this.#logger.error({ brand, file: path, reason }, 'credential cannot be used')
      return false
    }
  }

  #mapOf(path: string): Map<string, unknown> {
    return path.endsWith('.apple.pem') ? this.apple : this.google
  }
}

function replace<T>(map: Map<string, T>, brand: string, credential: T): boolean {
  if (JSON.stringify(map.get(brand)) === JSON.stringify(credential)) return false
  map.set(brand, credential)
  return true
}

function brandOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).split('.')[0] ?? ''
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return (await readdir(dir)).sort()
  } catch {
    // A shard that is not mounted holds no brand.
    return []
  }
}
