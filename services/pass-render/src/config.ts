import { readFileSync } from 'node:fs'
import {
  ConfigError,
  type ConfigOf,
  describeConfig,
  type PlatformConfig,
  readConfig,
  readPlatformConfig,
  settings,
} from '@stampede/platform'

const MASTER_KEY_BYTES = 32
const GOOGLE_ROOT_KEYS_URL = 'https://pay.google.com/gp/m/issuer/keys'

const shape = {
  grpcPort: settings.port('STAMPEDE_PASS_RENDER_GRPC_PORT', 0),
  httpPort: settings.port('STAMPEDE_PASS_RENDER_HTTP_PORT', 0),
  webPort: settings.port('STAMPEDE_PASS_RENDER_WEB_PORT', 0),
  webUrl: settings.optional(settings.url('STAMPEDE_PASS_RENDER_WEB_URL')),
  webCert: settings.path('STAMPEDE_PASS_RENDER_WEB_CERT'),
  webKey: settings.path('STAMPEDE_PASS_RENDER_WEB_KEY'),
  masterKey: settings.secret('STAMPEDE_PASS_RENDER_MASTER_KEY'),
  credentialsDir: settings.path('STAMPEDE_CREDENTIALS_DIR'),
  enrollmentAddress: settings.optional(settings.text('STAMPEDE_ENROLLMENT_ADDRESS')),
  googleRootKeysUrl: settings.optional(settings.url('STAMPEDE_GOOGLE_ROOT_KEYS_URL')),
}

/** What the environment tells this service. */
export interface Config {
  readonly platform: PlatformConfig
  readonly grpcPort: number
  readonly httpPort: number
  /** Port of the PassKit web service (TLS); 0 for any. */
  readonly webPort: number
  /** Public base of the PassKit web service for brands without a domain of their own, without a slash at the end; undefined: https://localhost and the port. */
  readonly webUrl: string | undefined
  /** Certificate chain of the web service, PEM. */
  readonly webCertPem: string
  /** Its private key, PEM. */
  readonly webKeyPem: string
  /** 32 bytes; encrypts authentication tokens and makes install addresses. */
  readonly masterKey: Buffer
  /** Folder of the brands' certificates. */
  readonly credentialsDir: string
  /** host:port of enrollment; undefined shows no names. */
  readonly enrollmentAddress: string | undefined
  /** Where Google hands out the keys that its callbacks are checked with. */
  readonly googleRootKeysUrl: string
  /** What is configured, without secrets, for the log. */
  readonly description: Record<string, unknown>
}

/** Reads the configuration; throws ConfigError naming the variable. */
export function readServiceConfig(env: NodeJS.ProcessEnv): Config {
  const raw = readConfig(env, shape)
  return {
    platform: readPlatformConfig(env),
    grpcPort: raw.grpcPort,
    httpPort: raw.httpPort,
    webPort: raw.webPort,
    webUrl: raw.webUrl === undefined ? undefined : checkWebUrl(raw.webUrl),
    webCertPem: readPem('STAMPEDE_PASS_RENDER_WEB_CERT', raw.webCert),
    webKeyPem: readPem('STAMPEDE_PASS_RENDER_WEB_KEY', raw.webKey),
    masterKey: readMasterKey(raw),
    credentialsDir: raw.credentialsDir,
    enrollmentAddress: raw.enrollmentAddress,
    googleRootKeysUrl: raw.googleRootKeysUrl ?? GOOGLE_ROOT_KEYS_URL,
    description: describeConfig(shape, raw),
  }
}

// Phones refuse anything else, and they do so in silence.
function checkWebUrl(url: string): string {
  if (!url.startsWith('https://')) throw new ConfigError('STAMPEDE_PASS_RENDER_WEB_URL must begin with https://')
  return url.replace(/\/+$/, '')
}

function readPem(env: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${env} names a file that cannot be read: ${path}`, { cause })
  }
}

function readMasterKey(raw: ConfigOf<typeof shape>): Buffer {
  const text = raw.masterKey
  const key = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (key.length !== MASTER_KEY_BYTES) {
    throw new ConfigError('STAMPEDE_PASS_RENDER_MASTER_KEY must be 32 bytes in hexadecimal or base64')
  }
  return key
}
