import { readConfig, settings } from '@stampede/platform'

/** Configuration of this service alone. */
export interface CampaignsConfig {
  /** 0 takes any free port. */
  readonly grpcPort: number
  /** 0 takes any free port. */
  readonly httpPort: number
  /** host:port of analytics, which knows the audiences. */
  readonly analyticsAddress: string
}

const shape = {
  grpcPort: settings.port('STAMPEDE_CAMPAIGNS_GRPC_PORT', 0),
  httpPort: settings.port('STAMPEDE_CAMPAIGNS_HTTP_PORT', 0),
  analyticsAddress: settings.text('STAMPEDE_ANALYTICS_ADDRESS'),
}

/** Reads the configuration; throws a ConfigError naming the variable. */
export function readCampaignsConfig(env: NodeJS.ProcessEnv): CampaignsConfig {
  return readConfig(env, shape)
}
