import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createLogger, freePort, startEmbeddedPostgres } from '@stampede/platform'
import type { Finding } from './findings.ts'
import { verify } from './verify.ts'

/** The server of the data directory: one that runs, else the embedded one for as long as we need it. */
async function openServer(dataDir: string, stack: AsyncDisposableStack): Promise<string> {
  const external = process.env['STAMPEDE_POSTGRES_URL']
  if (external !== undefined) return external
  const running = join(dataDir, 'run', 'servers.json')
  if (existsSync(running)) return (JSON.parse(readFileSync(running, 'utf8')) as { postgresUrl: string }).postgresUrl
  const folder = join(dataDir, 'data', 'postgres')
  return stack.use(await startEmbeddedPostgres({ dataDir: folder, port: await freePort() })).url
}

function describe(finding: Finding): string {
  if (finding.ok === true) return `ok    ${finding.invariant} (${finding.checked})`
  if (finding.ok === 'skipped') return `SKIP  ${finding.invariant}: ${finding.why}`
  return `WRONG ${finding.invariant}: ${finding.row}`
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string', default: '.stampede' } } })
  const dataDir = resolve(values['data-dir'])
  if (!existsSync(join(dataDir, 'data'))) {
    console.error(`verify: ${dataDir} is no data directory; npm start makes one`)
    return 2
  }
  await using stack = new AsyncDisposableStack()
  const logger = createLogger('verify', 'warn')
  const url = await openServer(dataDir, stack)
  for await (const finding of verify(dataDir, url, logger)) {
    console.log(describe(finding))
    if (finding.ok === false) return 1
  }
  return 0
}

process.exitCode = await main()
