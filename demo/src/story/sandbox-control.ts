import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** Progress of phones that install passes. */
export interface InstallProgress {
  readonly installed: number
  readonly failed: number
  readonly total: number
}

/** Counters of the sandbox. */
export interface SandboxStats {
  readonly apns: { readonly accepted: number; readonly rejected: Readonly<Record<string, number>> }
  readonly phones: {
    readonly installed: number
    readonly visits: number
    readonly fetches: number
    readonly verified: number
    readonly failed: number
    readonly waiting: number
  }
  readonly google: { readonly calls: number; readonly objects: number; readonly classes: number }
}

/** A phone that shows a pass. */
export interface ShownPhone {
  readonly fields: Readonly<Record<string, string>>
  readonly notifications: readonly { readonly at: number; readonly text: string }[]
  readonly passJson: unknown
  readonly images?: Readonly<Record<string, string>>
}

/** The control side of the sandbox. Every call throws TypeError when the sandbox is away. */
export interface SandboxControl {
  /** Phones install the passes at these URLs; those that are installed already are left alone. */
  install(urls: readonly string[], onProgress: (progress: InstallProgress) => void): Promise<readonly string[]>
  /** Phones follow Google save links; gives the number that worked. */
  saveToGoogle(urls: readonly string[]): Promise<number>
  stats(): Promise<SandboxStats>
  phone(serial: string): Promise<ShownPhone | undefined>
}

const installDeadlineMs = 600_000
const callDeadlineMs = 30_000

/** Talks to the sandbox's control port on this machine. */
export function createSandboxControl(port: number): SandboxControl {
  const base = `http://127.0.0.1:${port}`
  const post = (path: string, body: unknown, timeoutMs: number): Promise<Response> =>
    fetch(base + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    })
  return {
    install: async (urls, onProgress) => {
      const response = await post('/install', { passes: urls.map((url) => ({ url })) }, installDeadlineMs)
      if (response.body === null || !response.ok) throw new Error(`sandbox /install: ${await response.text()}`)
      const input = Readable.fromWeb(response.body as ReadableStream)
      for await (const line of createInterface({ input })) {
        const row = JSON.parse(line) as InstallProgress | { done: true; failures: { url: string; reason: string }[] }
        if ('done' in row) return row.failures.map(({ url, reason }) => `${url}: ${reason}`)
        onProgress(row)
      }
      throw new TypeError('the sandbox went away during an installation')
    },
    saveToGoogle: async (urls) => {
      const response = await post('/google/save', { urls }, callDeadlineMs)
      const answer = (await response.json()) as { saved?: number }
      return answer.saved ?? 0
    },
    stats: async () => {
      const response = await fetch(`${base}/stats`, { signal: AbortSignal.timeout(callDeadlineMs) })
      return (await response.json()) as SandboxStats
    },
    phone: async (serial) => {
      const response = await fetch(`${base}/phones/${serial}`, { signal: AbortSignal.timeout(callDeadlineMs) })
      if (response.status === 404) return undefined
      return (await response.json()) as ShownPhone
    },
  }
}
