import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

const START_MS_MAX = 20_000
const POLL_MS = 20

/** A server of somebody else, as a process of its own; disposing kills it. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  /** What it printed to its standard error. */
  stderr = ''

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr?.on('data', (part: Buffer) => {
      this.stderr += part.toString()
    })
    this.#child.on('error', (error) => {
      this.stderr += String(error)
    })
  }

  /** The first line that it prints. */
  async firstLine(): Promise<string> {
    const { stdout } = this.#child
    if (stdout === null) throw new Error('no standard output')
    const lines = createInterface({ input: stdout })
    const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(START_MS_MAX) })
    // Whatever it prints later must not fill the pipe.
    stdout.resume()
    return String(line)
  }

  /** Resolves when it accepts connections. */
  async listens(port: number): Promise<void> {
    this.#child.stdout?.resume()
    const end = Date.now() + START_MS_MAX
    while (!(await accepts(port))) {
      if (Date.now() > end || this.#child.exitCode !== null)
        throw new Error(`the server does not listen: ${this.stderr}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
