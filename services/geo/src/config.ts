import { readConfig, settings } from '@stampede/platform'

/** Configuration of this service alone. */
export interface GeoConfig {
  /** 0 takes any free port. */
  readonly grpcPort: number
  /** 0 takes any free port. */
  readonly httpPort: number
}

const shape = {
  grpcPort: settings.port('STAMPEDE_GEO_GRPC_PORT', 0),
  httpPort: settings.port('STAMPEDE_GEO_HTTP_PORT', 0),
}

/** Reads the configuration; throws a ConfigError naming the variable. */
export function readGeoConfig(env: NodeJS.ProcessEnv): GeoConfig {
  return readConfig(env, shape)
}
