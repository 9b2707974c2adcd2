import { join } from 'node:path'
import { type PlatformConfig, readConfig, readPlatformConfig, settings } from '@stampede/platform'

/** Configuration of the service. */
export interface AnalyticsConfig {
  readonly platform: PlatformConfig
  readonly grpcPort: number
  readonly httpPort: number
  /** Folder of the embedded ClickHouse engine. */
  readonly clickhouseDir: string
}

/** Reads the environment; throws a ConfigError naming the variable. */
export function readAnalyticsConfig(env: NodeJS.ProcessEnv): AnalyticsConfig {
  const platform = readPlatformConfig(env)
  const own = readConfig(env, {
    grpcPort: settings.port('STAMPEDE_ANALYTICS_GRPC_PORT', 0),
    httpPort: settings.port('STAMPEDE_ANALYTICS_HTTP_PORT', 0),
  })
  return { platform, ...own, clickhouseDir: join(platform.dataDir, 'clickhouse') }
}
