import { join } from 'node:path'
import { freePort } from '../embedded/free-port.ts'
import { type EmbeddedNats, startEmbeddedNats } from '../embedded/nats.ts'
import { tempDir } from './temp-dir.ts'
import { toolsDir } from './tools-dir.ts'

/** A nats-server of the test's own. */
export interface TestNats extends AsyncDisposable {
  readonly url: string
  /** Process id of the server, to be killed by failure tests. */
  pid(): number
  /** Ends the server (with SIGKILL when `hard`), keeping its files; `start` brings it back on the same address. */
  stop(hard?: boolean): Promise<void>
  start(): Promise<void>
}

/** Starts an empty nats-server with JetStream; streams have fixed names, so every test file gets a server of its own. */
export async function testNats(): Promise<TestNats> {
  const dir = tempDir('nats')
  const port = await freePort()
  const start = (): Promise<EmbeddedNats> => startEmbeddedNats({ dataDir: join(dir.path, 'nats'), port, toolsDir })
  let server = await start()
  const stop = async (hard = false): Promise<void> => {
    if (hard) {
      process.kill(server.pid, 'SIGKILL')
      await server.exited
    }
    await server[Symbol.asyncDispose]()
  }
  return {
    url: server.url,
    pid: () => server.pid,
    stop,
    start: async () => {
      server = await start()
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      dir[Symbol.dispose]()
    },
  }
}
