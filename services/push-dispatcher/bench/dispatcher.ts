import { bind } from '@stampede/h2push/bench'
import { type NodeProcess, startNode } from '@stampede/platform/testing'

const script = new URL('../../../scripts/service.ts', import.meta.url)
const settledMs = 15_000

/** A dispatcher in a process of its own, bound to one core. */
export class Dispatcher implements AsyncDisposable {
  readonly #process: NodeProcess<number>

  private constructor(process: NodeProcess<number>) {
    this.#process = process
  }

  /** Starts one; resolves when it is ready. */
  static async start(env: NodeJS.ProcessEnv, cpu: string): Promise<Dispatcher> {
    const process = await startNode({
      script,
      args: ['push-dispatcher'],
      env,
      readyLine: (line) => {
        const port = /^stampede: push-dispatcher \(gRPC \d+, HTTP (\d+)\) ready$/.exec(line)?.[1]
        return port === undefined ? undefined : Number(port)
      },
    })
    bind(process.pid, cpu)
    return new Dispatcher(process)
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Sum of a metric over the label values that the pattern matches. */
  async metric(name: string, labels = /./): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#process.ready}/metrics`)
    const lines = (await response.text())
      .split('\n')
      .filter((line) => line.startsWith(`stampede_push_dispatcher_${name}`) && labels.test(line))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** Waits until it sees so many replicas. */
  async sees(replicas: number): Promise<void> {
    const deadlineAtMs = performance.now() + settledMs
    while ((await this.metric('replicas_count')) !== replicas) {
      if (performance.now() > deadlineAtMs) throw new Error(`the dispatchers did not find each other`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end('SIGTERM')
  }
}
