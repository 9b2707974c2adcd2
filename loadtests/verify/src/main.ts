import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createLogger, freePort, runningServers, startEmbeddedPostgres } from '@stampede/platform'
import { describeFinding } from './findings.ts'
import { verify } from './verify.ts'

const exitWrong = 1
const exitUsage = 2

/** The server of the data directory: one that runs, else the embedded one for as long as we need it; undefined without data. */
async function openServer(dataDir: string, stack: AsyncDisposableStack): Promise<string | undefined> {
  const url = process.env['STAMPEDE_POSTGRES_URL'] ?? runningServers(dataDir)?.postgresUrl
  if (url !== undefined) return url
  const folder = join(dataDir, 'data', 'postgres')
  // The embedded server would make an empty database, and an empty one breaks no rule.
  if (!existsSync(`${folder}.password`)) return undefined
  return stack.use(await startEmbeddedPostgres({ dataDir: folder, port: await freePort() })).url
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string', default: '.stampede' } } })
  const dataDir = resolve(values['data-dir'])
  await using stack = new AsyncDisposableStack()
  const url = existsSync(join(dataDir, 'data')) ? await openServer(dataDir, stack) : undefined
  if (url === undefined) {
    console.error(`verify: ${dataDir} is no data directory; npm start makes one`)
    return exitUsage
  }
  for await (const finding of verify(dataDir, url, createLogger('verify', 'warn'))) {
    console.log(describeFinding(finding))
    if (finding.ok === false) return exitWrong
  }
  return 0
}

process.exitCode = await main()
