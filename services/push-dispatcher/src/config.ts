import { readFileSync } from 'node:fs'
import { ConfigError, readConfig, settings } from '@stampede/platform'
import type { GoogleConfig } from './google/index.ts'

/** Highest ceiling that can be asked for, in pushes per second. */
const PER_SECOND_MAX = 10_000_000
/** Google's published limit is 20; nobody gets more than this without being told. */
const GOOGLE_PER_SECOND_MAX = 10_000

const shape = {
  grpcPort: settings.port('STAMPEDE_PUSH_DISPATCHER_GRPC_PORT', 0),
  httpPort: settings.port('STAMPEDE_PUSH_DISPATCHER_HTTP_PORT', 0),
  credentialsDir: settings.path('STAMPEDE_CREDENTIALS_DIR'),
  apnsUrl: settings.url('STAMPEDE_APNS_URL', 'https://api.push.apple.com'),
  apnsCa: settings.optional(settings.path('STAMPEDE_APNS_CA')),
  googleUrl: settings.url('STAMPEDE_GOOGLE_URL', 'https://walletobjects.googleapis.com'),
  googleTokenUrl: settings.url('STAMPEDE_GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
  googleCa: settings.optional(settings.path('STAMPEDE_GOOGLE_CA')),
  maxPerSecond: settings.integer('STAMPEDE_DISPATCHER_MAX_PER_SECOND', { min: 0, max: PER_SECOND_MAX, default: 0 }),
  googleMaxPerSecond: settings.integer('STAMPEDE_GOOGLE_MAX_PER_SECOND', {
    min: 1,
    max: GOOGLE_PER_SECOND_MAX,
    default: 20,
  }),
}

/** What the dispatcher is told by its environment. */
export interface DispatcherConfig {
  readonly grpcPort: number
  readonly httpPort: number
  /** Folder of the brands' credentials. */
  readonly credentialsDir: string
  /** Origin of APNs. */
  readonly apnsUrl: URL
  /** Authority that APNs' certificate is checked against, PEM; undefined for the system's. */
  readonly apnsCaPem: string | undefined
  /** Pushes per second of this replica, 0 for no ceiling. */
  readonly maxPerSecond: number
  readonly google: GoogleConfig
}

/** Reads the dispatcher's part of the environment; throws ConfigError naming the variable. */
export function readDispatcherConfig(env: NodeJS.ProcessEnv): DispatcherConfig {
  const { apnsUrl, apnsCa, googleUrl, googleTokenUrl, googleCa, googleMaxPerSecond, ...rest } = readConfig(env, shape)
  if (googleCa !== undefined) readPem('STAMPEDE_GOOGLE_CA', googleCa)
  return {
    ...rest,
    apnsUrl: new URL(httpsOnly('STAMPEDE_APNS_URL', apnsUrl)),
    apnsCaPem: apnsCa === undefined ? undefined : readPem('STAMPEDE_APNS_CA', apnsCa),
    google: {
      url: httpsOnly('STAMPEDE_GOOGLE_URL', googleUrl).replace(/\/+$/, ''),
      tokenUrl: httpsOnly('STAMPEDE_GOOGLE_TOKEN_URL', googleTokenUrl),
      caFile: googleCa,
      maxPerSecond: googleMaxPerSecond,
    },
  }
}

function httpsOnly(env: string, url: string): string {
  if (!url.startsWith('https://')) throw new ConfigError(`${env} must be an https URL`)
  return url
}

function readPem(env: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError(`${env} names a file that cannot be read: ${path}`)
  }
}
