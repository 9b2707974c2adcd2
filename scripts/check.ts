// npm run check: types, lint and the tests that start no server: under a minute.

import { runSuites } from './lib/report.ts'
import { runStaticChecks } from './lib/static-checks.ts'
import { findSuites } from './lib/suites.ts'

const isClean = await runStaticChecks()
const passed = await runSuites(findSuites(true), process.env)
process.exitCode = isClean && passed ? 0 : 1
