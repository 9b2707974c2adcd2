import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { PhoneRow } from '@stampede/sandbox'

/** Counters of the sandbox that a run looks at. */
export interface SandboxStats {
  readonly apns: { readonly accepted: number; readonly rejected: Readonly<Record<string, number>> }
  readonly phones: {
    readonly installed: number
    readonly fetches: number
    readonly visits: number
    readonly failed: number
    readonly waiting: number
    readonly working: number
    readonly retrying: number
  }
}

/** Where a phone holds a card: what k6 needs to play it. */
export type InstalledPhone = Extract<PhoneRow, { readonly event: 'install' }>

const callMs = 30_000
const installMs = 900_000
const json = { 'content-type': 'application/json' }

/** The sandbox's control port. */
export class SandboxControl {
  readonly #url: string

  /** `url` without a slash at the end. */
  constructor(url: string) {
    this.#url = url
  }

  async stats(): Promise<SandboxStats> {
    return (await (await this.#ask('/stats', callMs)).json()) as SandboxStats
  }

  /** Sandbox phones install cards; gives how many could not, and why the first could not. */
  async install(
    urls: readonly string[],
    onProgress: (installed: number) => void,
  ): Promise<{ readonly failed: number; readonly reason: string }> {
    const body = JSON.stringify({ passes: urls.map((url) => ({ url })) })
    const response = await this.#ask('/install', installMs, { method: 'POST', body, headers: json })
    if (response.body === null) throw new Error('the sandbox did not answer the installation')
    for await (const line of createInterface({ input: Readable.fromWeb(response.body as ReadableStream) })) {
      const row = JSON.parse(line) as
        | { readonly installed: number }
        | { readonly done: true; readonly failures: readonly { readonly reason: string }[] }
      if ('done' in row) return { failed: row.failures.length, reason: row.failures[0]?.reason ?? '' }
      onProgress(row.installed)
    }
    throw new Error('the installation was cut off')
  }

  /** Everything that happened on phones, oldest first. */
  async *phoneRows(): AsyncGenerator<PhoneRow> {
    for (let from = 0; ; ) {
      const response = await this.#ask(`/events?kind=phones&from=${from}`, callMs)
      const next = Number(response.headers.get('x-next-offset'))
      for (const line of (await response.text()).split('\n')) if (line !== '') yield JSON.parse(line) as PhoneRow
      if (next === from) return
      from = next
    }
  }

  async #ask(path: string, timeoutMs: number, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(`${this.#url}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) })
    if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${path}`)
    return response
  }
}
