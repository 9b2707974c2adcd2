import { join } from 'node:path'
import { type NodeProcess, startNode } from '@stampede/platform/testing'
import { type ApnsRow, type Authority, authorityDir, createAuthority, type FaultsPatch } from '@stampede/sandbox'
import { readRows } from '@stampede/sandbox/testing'

interface Ports {
  readonly controlPort: number
  readonly apnsPort: number
}

/** The sandbox as a process of its own. */
export class SandboxProcess implements AsyncDisposable {
  readonly authority: Authority
  /** Origin of its APNs. */
  readonly apnsUrl: string
  readonly #dir: string
  readonly #process: NodeProcess<Ports>

  private constructor(dir: string, authority: Authority, child: NodeProcess<Ports>) {
    this.#dir = dir
    this.authority = authority
    this.#process = child
    this.apnsUrl = `https://127.0.0.1:${child.ready.apnsPort}`
  }

  /** Starts one that keeps its files in `dir`. */
  static async start(dir: string): Promise<SandboxProcess> {
    // Made before it starts, because two that make it at once would disagree.
    const authority = createAuthority(authorityDir(dir))
    const child = await startNode({
      script: new URL('./main.ts', import.meta.resolve('@stampede/sandbox')),
      env: { STAMPEDE_SANDBOX_DIR: dir },
      readyLine: (line) => JSON.parse(line) as Ports,
    })
    return new SandboxProcess(dir, authority, child)
  }

  /** Makes the tokens of a series known. */
  async addTokens(seed: string, topic: string, count: number): Promise<void> {
    await this.#call('/tokens', { seed, topic, count })
  }

  /** Changes how it behaves. */
  async setFaults(patch: FaultsPatch): Promise<void> {
    await this.#call('/faults', patch)
  }

  /** Pushes that were answered 200 so far. */
  async accepted(): Promise<number> {
    const { apns } = (await this.#call('/stats')) as { readonly apns: { readonly accepted: number } }
    return apns.accepted
  }

  /** Ends it in good order and reads its log of every push that it answered. */
  async endAndRead(): Promise<AsyncIterable<ApnsRow>> {
    await this.#process.end('SIGTERM')
    return readRows<ApnsRow>(join(this.#dir, 'apns.ndjson'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }

  async #call(path: string, body?: object): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#process.ready.controlPort}${path}`
    const response = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`the sandbox refuses ${path}: ${await response.text()}`)
    return response.json()
  }
}
