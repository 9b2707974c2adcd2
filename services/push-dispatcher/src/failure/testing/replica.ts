import { type NodeProcess, startNode } from '@stampede/platform/testing'

const script = new URL('../../../../../scripts/service.ts', import.meta.url)

/** One dispatcher process after the other under one name: ended ones are replaced. */
export class Replica implements AsyncDisposable {
  readonly #env: NodeJS.ProcessEnv
  #process: NodeProcess<number>
  #unknown = 0

  private constructor(env: NodeJS.ProcessEnv, first: NodeProcess<number>) {
    this.#env = env
    this.#process = first
  }

  /** Starts the first process; resolves when it is ready. */
  static async start(env: NodeJS.ProcessEnv): Promise<Replica> {
    return new Replica(env, await spawnDispatcher(env))
  }

  /** Ends the process; throws when it was asked to and did not end in good order. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#unknown += await this.#scrapeUnknown()
    const code = await this.#process.end(signal)
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`a dispatcher that was asked to end did so with ${code}`)
  }

  /** Starts the next process; resolves when it is ready. */
  async restart(): Promise<void> {
    this.#process = await spawnDispatcher(this.#env)
  }

  /**
   * Pushes that may have been processed and were repeated, as all its processes counted them; what a killed one
   * counted after it was last asked is not among them.
   */
  async unknown(): Promise<number> {
    return this.#unknown + (await this.#scrapeUnknown())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }

  async #scrapeUnknown(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#process.ready}/metrics`)
    const lines = (await response.text())
      .split('\n')
      .filter((line) => /^stampede_\w+_unknown_outcomes_total\{/.test(line))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }
}

function spawnDispatcher(env: NodeJS.ProcessEnv): Promise<NodeProcess<number>> {
  return startNode({
    script,
    args: ['push-dispatcher'],
    env,
    readyLine: (line) => {
      const port = /^stampede: push-dispatcher \(gRPC \d+, HTTP (\d+)\) ready$/.exec(line)?.[1]
      return port === undefined ? undefined : Number(port)
    },
  })
}
