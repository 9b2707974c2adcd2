import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Authority, PassCertificate } from '../authority.ts'
import { PASS_TYPE } from '../phones/visit.ts'
import { testPass } from './passes.ts'

/** A pass that the test service serves. */
interface ServedPass {
  version: number
  json: Readonly<Record<string, unknown>>
  devices: Map<string, string>
}

/** A PassKit web service just large enough to test phones against. */
export class TestWebService implements AsyncDisposable {
  readonly #server: Server
  readonly #certificate: PassCertificate
  readonly #passTypeId: string
  readonly #passes = new Map<string, ServedPass>()
  /** Requests so far, method and path. */
  readonly requests: string[] = []
  /** Answers the next requests with this status instead. */
  failNext: { status: number; times: number; headers?: Readonly<Record<string, string>> } = { status: 503, times: 0 }
  /** Open TLS connections since the start. */
  connections = 0

  constructor(authority: Authority, certificate: PassCertificate, passTypeId: string) {
    this.#certificate = certificate
    this.#passTypeId = passTypeId
    const { certPem, keyPem } = authority.issueServerCertificate(['localhost'])
    this.#server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        this.requests.push(`${request.method} ${request.url}`)
        const authorized = request.headers.authorization === `ApplePass ${this.#token()}`
        const answer = this.#answer(
          request.method ?? '',
          request.url ?? '',
          authorized,
          Buffer.concat(parts).toString(),
        )
        response.writeHead(answer.status, answer.headers)
        response.end(answer.body)
      })
    })
    this.#server.on('secureConnection', () => {
      this.connections += 1
    })
  }

  /** Base URL. */
  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  /** Starts to listen on `port`, default any free one. */
  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', () => resolve()))
  }

  /** Creates or changes a pass; returns the URL to install it from. */
  put(serial: string, points: number, more: Readonly<Record<string, unknown>> = {}): string {
    const storeCard = {
      primaryFields: [{ key: 'points', label: 'Points', value: points, changeMessage: 'You have %@ points' }],
      backFields: [{ key: 'terms', label: 'Terms', value: 'none' }],
    }
    const json = {
      serialNumber: serial,
      storeCard,
      webServiceURL: this.url,
      authenticationToken: this.#token(),
      ...more,
    }
    const served = this.#passes.get(serial) ?? { version: 0, json, devices: new Map<string, string>() }
    served.version += 1
    served.json = json
    this.#passes.set(serial, served)
    return `${this.url}/install/${serial}.pkpass`
  }

  /** Push tokens registered for a serial. */
  tokens(serial: string): readonly string[] {
    return [...(this.#passes.get(serial)?.devices.values() ?? [])]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #token(): string {
    return 'token-of-16-characters-or-more'
  }

  #answer(method: string, url: string, authorized: boolean, body: string): TestAnswer {
    if (this.failNext.times > 0) {
      this.failNext.times -= 1
      return { status: this.failNext.status, headers: this.failNext.headers ?? {} }
    }
    const { pathname, searchParams } = new URL(url, this.url)
    const parts = pathname.split('/').slice(1).map(decodeURIComponent)
    if (parts[0] === 'install') return this.#bundle(parts[1]?.replace('.pkpass', '') ?? '')
    if (parts[1] === 'passes') return authorized ? this.#bundle(parts[3] ?? '') : { status: 401 }
    const [, , device = '', , , serial] = parts
    if (serial === undefined) return this.#list(device, searchParams.get('passesUpdatedSince'))
    if (!authorized) return { status: 401 }
    const devices = this.#passes.get(serial)?.devices
    if (method === 'DELETE') {
      devices?.delete(device)
      return { status: 200 }
    }
    const known = devices?.has(device)
    devices?.set(device, (JSON.parse(body) as { pushToken: string }).pushToken)
    return { status: known ? 200 : 201 }
  }

  #list(device: string, since: string | null): TestAnswer {
    const held = [...this.#passes].filter(([, { devices }]) => devices.has(device))
    const tag = JSON.stringify(held.map(([serial, { version }]) => [serial, version]))
    const shown = new Map<string, number>(since ? (JSON.parse(since) as [string, number][]) : [])
    const changed = held.filter(([serial, { version }]) => shown.get(serial) !== version).map(([serial]) => serial)
    if (changed.length === 0) return { status: 204 }
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ serialNumbers: changed, lastUpdated: tag }),
    }
  }

  #bundle(serial: string): TestAnswer {
    const served = this.#passes.get(serial)
    if (!served) return { status: 404 }
    return {
      status: 200,
      headers: { 'content-type': PASS_TYPE, 'last-modified': new Date(served.version * 1000).toUTCString() },
      body: testPass({
        certificate: this.#certificate,
        json: { passTypeIdentifier: this.#passTypeId, ...served.json },
      }),
    }
  }
}

interface TestAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}
