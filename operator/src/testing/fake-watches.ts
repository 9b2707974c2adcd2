import type { ServerResponse } from 'node:http'
import { type FakeObjects, isWithin, type LogEntry, matches } from './fake-objects.ts'

interface OpenWatch {
  readonly collection: string
  readonly selector: string | null
  readonly response: ServerResponse
  readonly takesBookmarks: boolean
  isStalled: boolean
}

/** The open watches of the fake, and what can go wrong with them. */
export class FakeWatches {
  readonly #objects: FakeObjects
  readonly #open = new Set<OpenWatch>()

  constructor(objects: FakeObjects) {
    this.#objects = objects
    objects.onChange = (entry) => {
      for (const watch of this.#open) sendEntry(watch, entry)
    }
  }

  /** How many are open, stalled ones included. */
  get count(): number {
    return this.#open.size
  }

  /** Answers a watch: what happened since its version, then what happens. */
  open(url: URL, response: ServerResponse): void {
    const watch: OpenWatch = {
      collection: url.pathname,
      selector: url.searchParams.get('labelSelector'),
      response,
      takesBookmarks: url.searchParams.get('allowWatchBookmarks') === 'true',
      isStalled: false,
    }
    const from = Number(url.searchParams.get('resourceVersion') ?? '0')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (from < this.#objects.compacted) {
      this.#tooOld(watch)
      return
    }
    this.#open.add(watch)
    for (const entry of this.#objects.log) if (entry.version > from) sendEntry(watch, entry)
    const end = (): void => {
      this.#open.delete(watch)
      response.end()
    }
    const timer = setTimeout(end, Number(url.searchParams.get('timeoutSeconds') ?? '300') * 1000)
    response.on('close', () => {
      clearTimeout(timer)
      this.#open.delete(watch)
    })
  }

  /** Ends every watch: properly, or by cutting the connection. */
  end(how: 'close' | 'cut'): void {
    for (const watch of this.#open) {
      this.#open.delete(watch)
      if (how === 'close') watch.response.end()
      else watch.response.destroy()
    }
  }

  /** Every open watch says nothing more, and stays open: a half-open connection as the client sees it. */
  stall(): void {
    for (const watch of this.#open) watch.isStalled = true
  }

  /** Tells every watch that asked for it how far the log is, without an event. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.#objects.version) }
    const line = JSON.stringify({ type: 'BOOKMARK', object: { metadata } })
    for (const watch of this.#open) if (watch.takesBookmarks) sendLine(watch, line)
  }

  /** Forgets the log and tells every open watch that it is too old. */
  expire(): void {
    this.#objects.compact()
    for (const watch of this.#open) this.#tooOld(watch)
  }

  /** Sends a line as it is to every watch. */
  raw(line: string): void {
    for (const watch of this.#open) sendLine(watch, line)
  }

  #tooOld(watch: OpenWatch): void {
    this.#open.delete(watch)
    const object = {
      kind: 'Status',
      status: 'Failure',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version',
    }
    watch.response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`)
  }
}

/** Sends an entry as a watch with a selector sees it: who stops matching is deleted, who starts is added. */
function sendEntry(watch: OpenWatch, { collection, type, object, before }: LogEntry): void {
  if (!isWithin(collection, watch.collection)) return
  const isIn = type !== 'DELETED' && matches(object, watch.selector)
  const wasIn = before !== undefined && matches(before, watch.selector)
  if (!isIn && !wasIn) return
  const seen = isIn ? (wasIn ? 'MODIFIED' : 'ADDED') : 'DELETED'
  sendLine(watch, JSON.stringify({ type: seen, object }))
}

function sendLine({ response, isStalled }: OpenWatch, line: string): void {
  if (!isStalled) response.write(`${line}\n`)
}
