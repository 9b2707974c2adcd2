import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApnsServer } from './apns/server.ts'
import type { SeriesDirectory } from './apns/token-series.ts'
import type { AppStoreServer } from './appstore/server.ts'
import type { Faults, FaultsPatch } from './faults.ts'
import type { GoogleServer } from './google/server.ts'
import type { Journal } from './journal.ts'
import { isObject } from './pass/check-json.ts'
import type { Fleet } from './phones/fleet.ts'
import type { InstallRequest } from './phones/install.ts'

/** Journals that are handed out. */
const journalKinds = ['apns', 'phones', 'google', 'appstore'] as const
type JournalKind = (typeof journalKinds)[number]

/** What the control API steers. */
export interface ControlOptions {
  /** 0: any free port. */
  readonly port: number
  readonly apns: ApnsServer
  readonly google: GoogleServer
  readonly appStore: AppStoreServer
  readonly fleet: Fleet
  readonly series: SeriesDirectory
  readonly journals: Readonly<Record<JournalKind, Journal>>
  readonly faults: () => Faults
  /** Throws RangeError. */
  readonly setFaults: (patch: FaultsPatch) => void
}

/** The running control API. */
export interface ControlServer extends AsyncDisposable {
  readonly port: number
}

const BODY_BYTES_MAX = 64 * 1024 * 1024
const PASSES_MAX = 200_000
/** Installations at once. */
const INSTALLERS = 24
/** Save links at once: they share the journal's writes. */
const SAVES_AT_ONCE = 100
const PROGRESS_MS = 250
const FAILURES_MAX = 10_000
const EVENTS_BYTES_MAX = 4 * 1024 * 1024

/** Thrown for a request that cannot be served; the status is answered. */
class ControlError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > BODY_BYTES_MAX) throw new ControlError(413, 'body: larger than 64 MiB')
    parts.push(part as Buffer)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (isObject(value)) return value
  } catch {
    // answered below
  }
  throw new ControlError(400, 'body: not a JSON object')
}

function textList(value: unknown, field: string): readonly string[] {
  if (!Array.isArray(value) || value.length > PASSES_MAX || !value.every((item) => typeof item === 'string')) {
    throw new ControlError(400, `${field}: must be a list of at most ${PASSES_MAX} texts`)
  }
  return value
}

function installRequests(value: unknown): readonly InstallRequest[] {
  if (!Array.isArray(value) || value.length > PASSES_MAX) throw new ControlError(400, `passes: at most ${PASSES_MAX}`)
  return value.map((item: unknown, index) => {
    if (!isObject(item) || typeof item['url'] !== 'string')
      throw new ControlError(400, `passes[${index}].url: is missing`)
    const { url, phone } = item
    if (phone === undefined) return { url }
    if (typeof phone !== 'string' || !/^[\w.-]{1,100}$/.test(phone))
      throw new ControlError(400, `passes[${index}].phone: bad name`)
    return { url, phone }
  })
}

class Control implements ControlServer {
  readonly #options: ControlOptions
  readonly #server: Server

  constructor(options: ControlOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (response.headersSent) {
          response.destroy()
          return
        }
        const known = error instanceof ControlError || error instanceof RangeError
        const status = error instanceof ControlError ? error.status : known ? 400 : 500
        send(response, status, { error: error instanceof Error ? error.message : String(error) })
      })
    })
    // An installation of very many passes is one long request.
    this.#server.requestTimeout = 0
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, '127.0.0.1', () => resolve())
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { port } = this
    // A page in a browser must not reach this by another name.
    if (![`127.0.0.1:${port}`, `localhost:${port}`].includes(request.headers.host ?? '')) {
      throw new ControlError(403, 'host: only 127.0.0.1 and localhost')
    }
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`)
    const { fleet, google, series, setFaults, faults } = this.#options
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /healthz':
        return send(response, 200, { ok: true })
      case 'GET /stats':
        return send(response, 200, this.#statistics())
      case 'GET /events':
        return this.#events(url.searchParams, response)
      case 'GET /faults':
        return send(response, 200, faults())
      case 'POST /faults':
        setFaults((await readJson(request)) as FaultsPatch)
        return send(response, 200, faults())
      case 'POST /install':
        return this.#install(installRequests((await readJson(request))['passes']), response)
      case 'POST /tokens':
        return send(response, 200, addTokens(series, await readJson(request)))
      case 'GET /google/root-keys':
        return send(response, 200, google.rootKeys())
      case 'POST /google/save':
        return send(response, 200, await saveAll(google, textList((await readJson(request))['urls'], 'urls')))
      case 'POST /remove': {
        const body = await readJson(request)
        return send(response, 200, await fleet.remove(textList(body['serials'], 'serials'), body['silently'] === true))
      }
      default:
        return this.#phone(request, url, response)
    }
  }

  async #phone(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const serial = /^\/phones\/([^/]+)$/.exec(url.pathname)?.[1]
    if (!serial || request.method !== 'GET') throw new ControlError(404, 'path: unknown')
    const shown = await this.#options.fleet.shown(decodeURIComponent(serial))
    if (!shown) throw new ControlError(404, 'serial: on no phone')
    send(response, 200, { ...shown, back: backOf(shown.passJson) })
  }

  #statistics(): object {
    const { apns, google, appStore, fleet } = this.#options
    return {
      apns: apns.statistics(),
      phones: fleet.statistics(),
      google: google.statistics(),
      appstore: appStore.statistics(),
    }
  }

  async #events(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const kind = journalKinds.find((known) => known === query.get('kind'))
    if (kind === undefined) throw new ControlError(400, `kind: one of ${journalKinds.join(', ')}`)
    const from = Number(query.get('from') ?? 0)
    if (!Number.isSafeInteger(from) || from < 0) throw new ControlError(400, 'from: a byte offset')
    const journal = this.#options.journals[kind]
    await journal.flush()
    const bytes = await journal.read(from, Math.min(EVENTS_BYTES_MAX, Math.max(0, journal.end - from)))
    const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'content-length': whole.length,
      'x-next-offset': String(from + whole.length),
    })
    response.end(whole)
  }

  async #install(requests: readonly InstallRequest[], response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const failures: { url: string; reason: string }[] = []
    let [next, installed, failed] = [0, 0, 0]
    const total = requests.length
    const report = (): void => void response.write(`${JSON.stringify({ installed, failed, total })}\n`)
    const timer = setInterval(report, PROGRESS_MS)
    const work = async (): Promise<void> => {
      // A caller that has gone away wants nothing more.
      for (let request = requests[next++]; request && !response.destroyed; request = requests[next++]) {
        const reason = await this.#options.fleet.install(request)
        if (reason === undefined) installed += 1
        else {
          failed += 1
          if (failures.length < FAILURES_MAX) failures.push({ url: request.url, reason })
        }
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.min(INSTALLERS, total) }, work))
    } finally {
      clearInterval(timer)
    }
    report()
    response.end(`${JSON.stringify({ done: true, failures })}\n`)
  }
}

function backOf(passJson: unknown): readonly unknown[] {
  if (!isObject(passJson)) return []
  for (const style of Object.values(passJson)) {
    if (isObject(style) && Array.isArray(style['backFields'])) return style['backFields']
  }
  return []
}

function addTokens(series: SeriesDirectory, { seed, topic, count }: Readonly<Record<string, unknown>>): object {
  if (typeof seed !== 'string' || typeof topic !== 'string') throw new ControlError(400, 'seed, topic: must be texts')
  series.add(seed, topic, Number(count))
  return { added: count }
}

async function saveAll(google: GoogleServer, urls: readonly string[]): Promise<object> {
  let saved = 0
  const failures: { url: string; reason: string }[] = []
  for (let start = 0; start < urls.length; start += SAVES_AT_ONCE) {
    const slice = urls.slice(start, start + SAVES_AT_ONCE)
    const results = await Promise.all(slice.map(async (url) => ({ url, result: await google.save(url) })))
    for (const { url, result } of results) {
      if ('ids' in result) saved += 1
      else if (failures.length < FAILURES_MAX) failures.push({ url, reason: result.reason })
    }
  }
  return { saved, failures }
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** Starts the control API on 127.0.0.1. */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const control = new Control(options)
  await control.listen()
  return control
}
