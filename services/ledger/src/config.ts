import { type PlatformConfig, readConfig, readPlatformConfig, settings } from '@stampede/platform'

/** What the ledger is told by its environment. */
export interface LedgerConfig {
  readonly platform: PlatformConfig
  /** 0 for any free port. */
  readonly grpcPort: number
  /** 0 for any free port. */
  readonly httpPort: number
  /** Pause between looks for points and holds that have ended, seconds. */
  readonly sweepSeconds: number
  /** Full months that postings and receipts stay after their own, 14 to 1,200; undefined: for ever. */
  readonly keptMonths: number | undefined
  /** Hour of the day, in UTC, at which the whole ledger is checked; 0 to 23. */
  readonly verifyHour: number
  /** Connections to PostgreSQL at most. */
  readonly poolSize: number
}

/** Reads and checks the environment; throws ConfigError naming the variable. */
export function readLedgerConfig(env: NodeJS.ProcessEnv): LedgerConfig {
  const own = readConfig(env, {
    grpcPort: settings.port('STAMPEDE_LEDGER_GRPC_PORT', 0),
    httpPort: settings.port('STAMPEDE_LEDGER_HTTP_PORT', 0),
    sweepSeconds: settings.integer('STAMPEDE_LEDGER_SWEEP_SECONDS', { min: 1, max: 3_600, default: 60 }),
    // 400 days of returns and retries need 14.
    keptMonths: settings.integer('STAMPEDE_LEDGER_KEPT_MONTHS', { min: 0, max: 1_200, default: 0 }),
    verifyHour: settings.integer('STAMPEDE_LEDGER_VERIFY_HOUR', { min: 0, max: 23, default: 3 }),
    poolSize: settings.integer('STAMPEDE_LEDGER_POOL_SIZE', { min: 4, max: 100, default: 8 }),
  })
  return { platform: readPlatformConfig(env), ...own, keptMonths: own.keptMonths === 0 ? undefined : own.keptMonths }
}
