import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox.ts'

export { readRows } from '../journal.ts'
export { seededRandom } from '../random.ts'
export { connectApns, type PushAnswer, push } from './apns-client.ts'
export { appStoreToken, callAppStore, shortKeyPair, testCsr } from './appstore.ts'
export { PIXEL, signDetached, type TestPass, testPass, testPassJson } from './passes.ts'
export { TestWebService } from './web-service.ts'

/** An empty folder that disposing deletes. */
export async function temporaryDir(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'sandbox-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A sandbox in a folder of its own, in this process; disposing stops it and deletes the folder. */
export async function startTestSandbox(options: Omit<SandboxOptions, 'dir'> = {}): Promise<Sandbox> {
  const dir = await temporaryDir()
  const sandbox = await startSandbox({ dir: dir.path, ...options })
  return {
    ...sandbox,
    [Symbol.asyncDispose]: async () => {
      await sandbox[Symbol.asyncDispose]()
      await dir[Symbol.asyncDispose]()
    },
  }
}

/** Waits until `probe` answers something; rejects after `timeoutMs`. */
export async function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await probe()
    if (value !== undefined) return value
    if (Date.now() > deadline) throw new Error(`nothing after ${timeoutMs} ms: ${probe.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
