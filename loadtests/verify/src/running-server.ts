import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readOwner } from '@stampede/platform'

/** Part of the command line of the process that runs a data directory. */
const program = 'demo/src/main.ts'

/**
 * Address of the PostgreSQL that a live run of the data directory uses; undefined when none runs: what a killed run
 * left behind names a server that is gone. Throws when a run is there that has not started its server yet.
 */
export function runningServer(dataDir: string): string | undefined {
  const owner = readOwner(join(dataDir, 'run', 'pid'), program)
  if (owner === undefined) return undefined
  const file = join(dataDir, 'run', 'servers.json')
  if (!existsSync(file))
    throw new Error(`process ${owner} is starting or stopping on ${dataDir}; try again in a moment`)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly postgresUrl: string }).postgresUrl
}
