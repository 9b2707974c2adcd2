// npm test [-- PART ...]: static checks, then every suite of every part on real servers.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startEmbeddedPostgres } from '@stampede/platform'
import { runSuites } from './lib/report.ts'
import { runStaticChecks } from './lib/static-checks.ts'
import { findSuites } from './lib/suites.ts'

/** One PostgreSQL for all suites; each test file makes a database of its own in it. */
async function runOnServer(parts: readonly string[]): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-test-'))
  try {
    await using postgres = await startEmbeddedPostgres({
      dataDir: join(folder, 'postgres'),
      port: await freePort(),
      durable: false,
    })
    const suites = findSuites(false).filter(({ name }) => parts.length === 0 || parts.includes(name))
    return await runSuites(suites, { ...process.env, STAMPEDE_TEST_POSTGRES_URL: postgres.url })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const parts = process.argv.slice(2)
const isClean = parts.length > 0 || (await runStaticChecks())
const passed = await runOnServer(parts)
process.exitCode = isClean && passed ? 0 : 1
