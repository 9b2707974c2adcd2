import { type DestinationStream, type Logger, pino } from 'pino'
import type { LogLevel } from './platform-config.ts'

export type { Logger }

/** Fields that no log line may show, wherever they are one or two levels deep. */
const secretFields = ['authorization', 'apiKey', 'serviceKey', 'secret', 'password']

/**
 * A logger of one service: JSON lines on standard output (or the destination given). Never log personal
 * data; ids are fine.
 */
export function createLogger(name: string, level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '***' },
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}
