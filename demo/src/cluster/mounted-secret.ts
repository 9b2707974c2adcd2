import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** How often the Secret is looked at; a kubelet takes up to a minute. */
const pollMs = 500

/** What plays the kubelet. */
export interface MountOptions {
  /** Entries of the Secret, base64; undefined while it does not exist. */
  readonly read: () => Promise<Readonly<Record<string, string>> | undefined>
  readonly folder: string
}

/** Keeps a folder as a Secret is, the way a kubelet does for a pod that mounts it. Disposing ends it. */
export function mountSecret({ read, folder }: MountOptions): AsyncDisposable {
  const stop = new AbortController()
  const written = new Map<string, string>()
  const once = async (): Promise<void> => {
    for (const [name, value] of Object.entries((await read()) ?? {})) {
      if (written.get(name) === value) continue
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `.${name}`), Buffer.from(value, 'base64'), { mode: 0o600 })
      renameSync(join(folder, `.${name}`), join(folder, name))
      written.set(name, value)
    }
  }
  const running = (async () => {
    while (!stop.signal.aborted) {
      // The API server may be away for a moment: the files stay as they are.
      await once().catch(() => undefined)
      await delay(pollMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}
