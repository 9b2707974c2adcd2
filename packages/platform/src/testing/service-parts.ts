import { createLogger, type Logger } from '../log.ts'
import { createMetrics, type Metrics } from '../metrics.ts'

/** A logger and metrics for a part under test. */
export interface TestParts {
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Makes a logger (silent unless STAMPEDE_LOG_LEVEL=debug) and metrics of their own. */
export function testParts(name = 'test'): TestParts {
  const level = process.env['STAMPEDE_LOG_LEVEL'] === 'debug' ? 'debug' : 'silent'
  return { logger: createLogger(name, level), metrics: createMetrics(name) }
}
