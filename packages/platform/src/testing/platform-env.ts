import { type TestKeys, testKeys } from './keys.ts'
import type { TestTls } from './tls.ts'

/** What of the outside world a service under test is given. */
export interface PlatformEnvOptions {
  readonly postgres?: { readonly url: string }
  readonly nats?: { readonly url: string }
  /** Folder for embedded engines' files. */
  readonly dataDir?: string
  readonly tls?: TestTls
  /** Default: fresh keys. */
  readonly keys?: TestKeys
  /** Variables of the service itself; they win. */
  readonly extra?: Readonly<Record<string, string>>
}

/** The environment of a service under test: silent, any free port, and what was given. */
export function platformEnv(options: PlatformEnvOptions = {}): NodeJS.ProcessEnv {
  const keys = options.keys ?? testKeys()
  return {
    STAMPEDE_LOG_LEVEL: process.env['STAMPEDE_LOG_LEVEL'] ?? 'silent',
    STAMPEDE_ROOT_KEY_SHA256: keys.rootKeySha256,
    STAMPEDE_SERVICE_KEY_SHA256: keys.serviceKeySha256,
    STAMPEDE_SERVICE_KEY: keys.serviceKey,
    ...(options.postgres === undefined ? {} : { STAMPEDE_POSTGRES_URL: options.postgres.url }),
    ...(options.nats === undefined ? {} : { STAMPEDE_NATS_URL: options.nats.url }),
    ...(options.dataDir === undefined ? {} : { STAMPEDE_DATA_DIR: options.dataDir }),
    ...(options.tls === undefined
      ? {}
      : {
          STAMPEDE_TLS_CA: options.tls.caFile,
          STAMPEDE_TLS_CERT: options.tls.certFile,
          STAMPEDE_TLS_KEY: options.tls.keyFile,
        }),
    ...options.extra,
  }
}
