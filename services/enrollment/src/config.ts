import { createSecretKey, type KeyObject } from 'node:crypto'
import { ConfigError, readConfig, settings } from '@stampede/platform'

/** Variable with the key that wraps all others. */
export const MASTER_KEY_ENV = 'STAMPEDE_ENROLLMENT_MASTER_KEY'

const MASTER_KEY_BYTES = 32

/** Configuration of this service alone. */
export interface EnrollmentConfig {
  /** 0 takes any free port. */
  readonly grpcPort: number
  /** 0 takes any free port. */
  readonly httpPort: number
  /** 32 bytes that wrap the keys of brands and members. */
  readonly masterKey: KeyObject
  /** 1 to 6 digits that card numbers of new brands begin with; a brand keeps the one it was created with. */
  readonly cardPrefix: string
}

const shape = {
  grpcPort: settings.port('STAMPEDE_ENROLLMENT_GRPC_PORT', 0),
  httpPort: settings.port('STAMPEDE_ENROLLMENT_HTTP_PORT', 0),
  masterKey: settings.secret(MASTER_KEY_ENV),
  // 9 is the industry digit for national use: never the start of a payment card.
  cardPrefix: settings.text('STAMPEDE_ENROLLMENT_CARD_PREFIX', '99'),
}

/** Reads the configuration; throws a ConfigError naming the variable. */
export function readEnrollmentConfig(env: NodeJS.ProcessEnv): EnrollmentConfig {
  const { masterKey, ...config } = readConfig(env, shape)
  const bytes = Buffer.from(masterKey, 'base64')
  if (bytes.length !== MASTER_KEY_BYTES || !/^[A-Za-z0-9+/]{43}=$/.test(masterKey))
    throw new ConfigError(`${MASTER_KEY_ENV} must be ${MASTER_KEY_BYTES} bytes in base64`)
  if (!/^\d{1,6}$/.test(config.cardPrefix)) throw new ConfigError(`${shape.cardPrefix.env} must have 1 to 6 digits`)
  return { ...config, masterKey: createSecretKey(bytes) }
}
