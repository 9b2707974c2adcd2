import { ConfigError, type ConfigOf, describeConfig, readConfig, settings } from './config.ts'

/** Severities, least talkative last. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** Files (PEM) of TLS between services. */
export interface TlsFiles {
  /** Certificate authority that clients trust. */
  readonly ca: string
  /** Certificate of the server; a process that only calls others needs none. */
  readonly cert: string | undefined
  /** Private key of the server. */
  readonly key: string | undefined
}

/** What every service is told by its environment. */
export interface PlatformConfig {
  /** PostgreSQL; each service has a schema of its own in it. */
  readonly postgresUrl: string
  /** NATS server, or several separated by commas. */
  readonly natsUrl: string
  /** ClickHouse server; undefined takes the embedded engine. */
  readonly clickhouseUrl: string | undefined
  /** Absolute folder of embedded engines' files. */
  readonly dataDir: string
  readonly logLevel: LogLevel
  /** Address that servers listen on; default 127.0.0.1. */
  readonly listenHost: string
  /** TLS of gRPC; undefined speaks plain HTTP/2. */
  readonly tls: TlsFiles | undefined
  /** Serve the HTTP side (JSON, metrics, health) over TLS too; default false, TLS then ends in front. */
  readonly httpTls: boolean
  /** Origins of pages whose browsers may call the HTTP side; none by default. */
  readonly allowedOrigins: readonly string[]
  /** SHA-256 (hex) of the key with role admin. */
  readonly rootKeySha256: string | undefined
  /** SHA-256 (hex) of the key with role service. */
  readonly serviceKeySha256: string | undefined
  /** Key that this process calls other services with. */
  readonly serviceKey: string | undefined
}

const logLevels: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

const shape = {
  postgresUrl: settings.url('STAMPEDE_POSTGRES_URL', 'postgres://127.0.0.1:5432/stampede'),
  natsUrl: settings.url('STAMPEDE_NATS_URL', 'nats://127.0.0.1:4222'),
  clickhouseUrl: settings.optional(settings.url('STAMPEDE_CLICKHOUSE_URL')),
  dataDir: settings.path('STAMPEDE_DATA_DIR', '.stampede/data'),
  logLevel: settings.text('STAMPEDE_LOG_LEVEL', 'info'),
  listenHost: settings.text('STAMPEDE_LISTEN_HOST', '127.0.0.1'),
  tlsCa: settings.optional(settings.path('STAMPEDE_TLS_CA')),
  tlsCert: settings.optional(settings.path('STAMPEDE_TLS_CERT')),
  tlsKey: settings.optional(settings.path('STAMPEDE_TLS_KEY')),
  httpTls: settings.flag('STAMPEDE_HTTP_TLS', false),
  allowedOrigins: settings.text('STAMPEDE_ALLOWED_ORIGINS', ''),
  rootKeySha256: settings.optional(settings.text('STAMPEDE_ROOT_KEY_SHA256')),
  serviceKeySha256: settings.optional(settings.text('STAMPEDE_SERVICE_KEY_SHA256')),
  serviceKey: settings.optional(settings.secret('STAMPEDE_SERVICE_KEY')),
}

/** Reads what every service is told by its environment; throws a ConfigError naming the variable. */
export function readPlatformConfig(env: NodeJS.ProcessEnv): PlatformConfig {
  const { tlsCa, tlsCert, tlsKey, allowedOrigins, ...rest } = readConfig(env, shape)
  if (!isLogLevel(rest.logLevel)) throw new ConfigError(`STAMPEDE_LOG_LEVEL must be one of ${logLevels.join(', ')}`)
  checkKeyHash('STAMPEDE_ROOT_KEY_SHA256', rest.rootKeySha256)
  checkKeyHash('STAMPEDE_SERVICE_KEY_SHA256', rest.serviceKeySha256)
  return {
    ...rest,
    logLevel: rest.logLevel,
    allowedOrigins: readOrigins(allowedOrigins),
    tls: readTls(tlsCa, tlsCert, tlsKey),
  }
}

/** The platform's part of the environment, fit to be logged. */
export function describePlatformConfig(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const config: ConfigOf<typeof shape> = readConfig(env, shape)
  return describeConfig(shape, config)
}

function readTls(ca: string | undefined, cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if ((cert === undefined) !== (key === undefined))
    throw new ConfigError('STAMPEDE_TLS_CERT and STAMPEDE_TLS_KEY belong together')
  if (ca === undefined && cert !== undefined)
    throw new ConfigError('STAMPEDE_TLS_CA is required with STAMPEDE_TLS_CERT')
  return ca === undefined ? undefined : { ca, cert, key }
}

function checkKeyHash(env: string, hash: string | undefined): void {
  if (hash !== undefined && !/^[0-9a-f]{64}$/.test(hash))
    throw new ConfigError(`${env} must be the SHA-256 of a key, 64 lower-case hexadecimal digits`)
}

function isLogLevel(text: string): text is LogLevel {
  return logLevels.includes(text)
}

function readOrigins(text: string): readonly string[] {
  const origins = text.split(',').filter((origin) => origin !== '')
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new ConfigError(`STAMPEDE_ALLOWED_ORIGINS: "${origin}" is not an origin such as https://console.example`)
  }
  return origins
}
