import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { unavailable } from '@stampede/platform'
import type { ApnsStatistics, AppStoreStatistics } from '@stampede/sandbox'

/** Progress of phones that install passes. */
export interface InstallProgress {
  readonly installed: number
  readonly failed: number
  readonly total: number
}

/** Counters of the sandbox. */
export interface SandboxStats {
  readonly apns: Pick<ApnsStatistics, 'accepted' | 'rejected' | 'handshakes'>
  readonly phones: {
    readonly installed: number
    readonly visits: number
    readonly fetches: number
    readonly verified: number
    readonly failed: number
    readonly waiting: number
  }
  readonly google: { readonly calls: number; readonly objects: number; readonly classes: number }
  readonly appstore: AppStoreStatistics
}

/** A phone that shows a pass. */
export interface ShownPhone {
  readonly fields: Readonly<Record<string, string>>
  readonly notifications: readonly { readonly at: number; readonly text: string }[]
  readonly passJson: unknown
  readonly images?: Readonly<Record<string, string>>
}

/** A pass that a phone could not install. */
export interface InstallFailure {
  readonly url: string
  readonly reason: string
}

/** The control side of the sandbox. Every call throws UNAVAILABLE when the sandbox is away. */
export interface SandboxControl {
  /** Phones install the passes at these URLs; those that are installed already are left alone. */
  install(urls: readonly string[], onProgress: (progress: InstallProgress) => void): Promise<readonly InstallFailure[]>
  /** Phones follow Google save links; gives the number that worked. */
  saveToGoogle(urls: readonly string[]): Promise<number>
  stats(): Promise<SandboxStats>
  phone(serial: string): Promise<ShownPhone | undefined>
}

const installDeadlineMs = 600_000
const callDeadlineMs = 30_000
const jsonHeaders = { 'content-type': 'application/json' }

/** Talks to the sandbox's control port on this machine. */
export function createSandboxControl(port: number): SandboxControl {
  const call = <T>(path: string, timeoutMs: number, read: (response: Response) => Promise<T>, body?: unknown) =>
    reach(`http://127.0.0.1:${port}${path}`, timeoutMs, read, body)
  return {
    install: (urls, onProgress) =>
      call('/install', installDeadlineMs, (response) => readInstallation(response, onProgress), {
        passes: urls.map((url) => ({ url })),
      }),
    saveToGoogle: (urls) =>
      call('/google/save', callDeadlineMs, async (response) => ((await response.json()) as Saved).saved ?? 0, { urls }),
    stats: () => call('/stats', callDeadlineMs, async (response) => (await response.json()) as SandboxStats),
    phone: (serial) =>
      call(`/phones/${serial}`, callDeadlineMs, async (response) =>
        response.status === 404 ? undefined : ((await response.json()) as ShownPhone),
      ),
  }
}

interface Saved {
  readonly saved?: number
}

/** Asks and reads the answer; whatever is cut off on the way says that the sandbox is away. */
async function reach<T>(
  url: string,
  timeoutMs: number,
  read: (response: Response) => Promise<T>,
  body: unknown,
): Promise<T> {
  const question = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: jsonHeaders }
  let status = 0
  try {
    const response = await fetch(url, { ...question, signal: AbortSignal.timeout(timeoutMs) })
    status = response.status
    if (response.ok || status === 404) return await read(response)
  } catch {
    throw unavailable(`the sandbox is away: ${url}`)
  }
  throw new Error(`the sandbox answered ${status} to ${url}`)
}

async function readInstallation(
  response: Response,
  onProgress: (progress: InstallProgress) => void,
): Promise<readonly InstallFailure[]> {
  if (response.body === null) throw new Error('no body')
  const input = Readable.fromWeb(response.body as ReadableStream)
  for await (const line of createInterface({ input })) {
    const row = JSON.parse(line) as InstallProgress | { done: true; failures: readonly InstallFailure[] }
    if ('done' in row) return row.failures
    onProgress(row)
  }
  throw new Error('the installation was cut off')
}
