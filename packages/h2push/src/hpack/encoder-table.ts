import { ENTRY_OVERHEAD_BYTES, FIRST_DYNAMIC_INDEX } from './static-table.ts'

interface Entry {
  readonly name: string
  readonly value: string
  /** Serial number: one more than that of the entry before it. */
  readonly serial: number
}

/** What the table has under one name. */
interface Named {
  /** Serial number of the newest entry. */
  newest: number
  /** Serial number of the entry by value. */
  readonly values: Map<string, number>
}

/** The dynamic table of an encoder (RFC 7541 section 2.3.2), searchable by name and value. */
export class EncoderTable {
  readonly #entries: Entry[] = []
  readonly #names = new Map<string, Named>()
  #limitBytes: number
  #usedBytes = 0
  #nextSerial = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Whether an entry fits when the table is empty. */
  fits(name: string, value: string): boolean {
    return entryBytes(name, value) <= this.#limitBytes
  }

  /** Index of an entry with this name and value; 0 when there is none. */
  find(name: string, value: string): number {
    return this.#index(this.#names.get(name)?.values.get(value))
  }

  /** Index of an entry with this name; 0 when there is none. */
  findName(name: string): number {
    return this.#index(this.#names.get(name)?.newest)
  }

  /** Adds an entry that fits and is not there yet, evicting old ones. */
  add(name: string, value: string): void {
    const bytes = entryBytes(name, value)
    this.#evictTo(this.#limitBytes - bytes)
    const serial = this.#nextSerial
    this.#nextSerial += 1
    this.#usedBytes += bytes
    this.#entries.push({ name, value, serial })
    const named = this.#names.get(name)
    if (named === undefined) {
      this.#names.set(name, { newest: serial, values: new Map([[value, serial]]) })
      return
    }
    named.newest = serial
    named.values.set(value, serial)
  }

  /** Changes the size, evicting what no longer fits. */
  setLimit(bytes: number): void {
    this.#limitBytes = bytes
    this.#evictTo(bytes)
  }

  #index(serial: number | undefined): number {
    return serial === undefined ? 0 : FIRST_DYNAMIC_INDEX + this.#nextSerial - 1 - serial
  }

  #evictTo(bytes: number): void {
    while (this.#usedBytes > bytes) {
      const oldest = this.#entries.shift()
      if (oldest === undefined) return
      const { name, value, serial } = oldest
      this.#usedBytes -= entryBytes(name, value)
      const named = this.#names.get(name)
      named?.values.delete(value)
      if (named?.newest === serial) this.#names.delete(name)
    }
  }
}

function entryBytes(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES
}
