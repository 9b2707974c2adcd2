// npm run load -- SCENARIO: a k6 scenario against a running platform, verified, with a report.
import { runLoad } from '@stampede/load'
import { root } from './lib/suites.ts'
import { findTool } from './tools/find.ts'

// A run that was stopped half-way may still wait for parts that are gone.
process.exit(await runLoad({ args: process.argv.slice(2), from: root, k6: findTool('k6') }))
