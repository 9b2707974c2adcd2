/** Resources that are remembered; the longest unused are forgotten first. */
const RESOURCES_MAX = 200_000

interface Entry {
  /** Highest version that was tried. */
  readonly version: bigint
  /** Its result is on the stream. */
  readonly settled: boolean
  readonly exists: boolean
}

/** What this process knows of resources: what to leave undone, and which call comes first. */
export class ResourceBook {
  readonly #entries = new Map<string, Entry>()

  /** Whether the version is still to be written: not after a newer one was tried, and not twice. */
  isDue(key: string, version: bigint): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return true
    return version > entry.version || (version === entry.version && !entry.settled)
  }

  /** Whether Google is known to have the resource. */
  exists(key: string): boolean {
    return this.#entries.get(key)?.exists === true
  }

  /** The version is about to be written; whatever comes of it, an older one must not follow. */
  begin(key: string, version: bigint): void {
    this.#put(key, { version, settled: false, exists: this.exists(key) })
  }

  /** The result of the version is on the stream. */
  settle(key: string, version: bigint, accepted: boolean): void {
    this.#put(key, { version, settled: true, exists: accepted || this.exists(key) })
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= RESOURCES_MAX) break
      this.#entries.delete(oldest)
    }
  }
}
