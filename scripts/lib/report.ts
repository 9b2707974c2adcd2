import { runSuite, type Suite } from './suites.ts'

/** Runs suites one after another, prints counts per suite, and says whether all passed. */
export async function runSuites(suites: readonly Suite[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const total = { tests: 0, passed: 0, failed: 0, skipped: 0 }
  let allWell = true
  for (const suite of suites) {
    const result = await runSuite(suite, env)
    total.tests += result.tests
    total.passed += result.passed
    total.failed += result.failed
    total.skipped += result.skipped
    // A suite that ran nothing proves nothing.
    const isWell = result.exitCode === 0 && result.tests > 0
    allWell &&= isWell
    const counts = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`
    console.log(`${isWell ? 'ok  ' : 'FAIL'} ${result.name}: ${counts} (${result.seconds.toFixed(1)} s)`)
  }
  console.log(`${total.tests} tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return allWell
}
