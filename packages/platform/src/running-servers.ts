import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readOwner } from './pid-file.ts'

/** Part of the command line of the process that runs a data directory. */
const program = 'demo/src/main.ts'

/** Addresses of the servers that a run uses. */
export interface RunningServers {
  readonly postgresUrl: string
  readonly natsUrl: string
}

/** File in which a run says which servers it uses. */
export function serversFile(dataDir: string): string {
  return join(dataDir, 'run', 'servers.json')
}

/**
 * The servers of a live run of the data directory; undefined when none runs: what a killed run left behind names
 * servers that are gone. Throws when a run is there that has not started its servers yet.
 */
export function runningServers(dataDir: string): RunningServers | undefined {
  const owner = readOwner(join(dataDir, 'run', 'pid'), program)
  if (owner === undefined) return undefined
  const file = serversFile(dataDir)
  if (!existsSync(file))
    throw new Error(`process ${owner} is starting or stopping on ${dataDir}; try again in a moment`)
  return JSON.parse(readFileSync(file, 'utf8')) as RunningServers
}
