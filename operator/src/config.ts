import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import {
  ConfigError,
  type ConfigOf,
  describeConfig,
  type PlatformConfig,
  readConfig,
  readPlatformConfig,
  settings,
} from '@stampede/platform'
import { appleWwdrPem } from './apple/wwdr.ts'
import type { IngressSettings, Pace } from './context.ts'
import type { GoogleHosts } from './google/check.ts'
import { isRecord } from './json.ts'
import type { LeaseTimings, ObjectName } from './kernel/index.ts'

const APPSTORE_URL = 'https://api.appstoreconnect.apple.com'
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g

const shape = {
  grpcPort: settings.port('STAMPEDE_OPERATOR_GRPC_PORT', 0),
  httpPort: settings.port('STAMPEDE_OPERATOR_HTTP_PORT', 0),
  namespace: settings.text('STAMPEDE_OPERATOR_NAMESPACE'),
  identity: settings.text('STAMPEDE_OPERATOR_IDENTITY', hostname()),
  lease: settings.text('STAMPEDE_OPERATOR_LEASE', 'stampede-operator'),
  leaseSeconds: settings.integer('STAMPEDE_OPERATOR_LEASE_SECONDS', { min: 3, max: 300, default: 15 }),
  kubeconfig: settings.optional(settings.path('STAMPEDE_OPERATOR_KUBECONFIG')),
  concurrency: settings.integer('STAMPEDE_OPERATOR_CONCURRENCY', { min: 1, max: 64, default: 8 }),
  appStoreUrl: settings.url('STAMPEDE_APPSTORE_URL', APPSTORE_URL),
  appStoreCa: settings.optional(settings.path('STAMPEDE_APPSTORE_CA')),
  wwdr: settings.optional(settings.path('STAMPEDE_OPERATOR_WWDR')),
  googleUrl: settings.url('STAMPEDE_GOOGLE_URL', 'https://walletobjects.googleapis.com'),
  googleTokenUrl: settings.url('STAMPEDE_GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
  googleCa: settings.optional(settings.path('STAMPEDE_GOOGLE_CA')),
  enrollmentAddress: settings.optional(settings.text('STAMPEDE_ENROLLMENT_ADDRESS')),
  apiKey: settings.optional(settings.secret('STAMPEDE_OPERATOR_API_KEY')),
  shardPrefix: settings.text('STAMPEDE_OPERATOR_SHARD_PREFIX', 'stampede-credentials'),
  ingressService: settings.optional(settings.text('STAMPEDE_OPERATOR_INGRESS_SERVICE')),
  ingressPort: settings.integer('STAMPEDE_OPERATOR_INGRESS_PORT', { min: 1, max: 65_535, default: 8443 }),
  ingressClass: settings.text('STAMPEDE_OPERATOR_INGRESS_CLASS', ''),
  ingressAnnotations: settings.text('STAMPEDE_OPERATOR_INGRESS_ANNOTATIONS', '{}'),
  settleSeconds: settings.integer('STAMPEDE_OPERATOR_SETTLE_SECONDS', { min: 1, max: 3600, default: 120 }),
  retrySeconds: settings.integer('STAMPEDE_OPERATOR_RETRY_SECONDS', { min: 1, max: 600, default: 10 }),
  manualPollSeconds: settings.integer('STAMPEDE_OPERATOR_MANUAL_POLL_SECONDS', { min: 1, max: 3600, default: 300 }),
}

/** What the environment tells the operator. */
export interface OperatorConfig {
  readonly platform: PlatformConfig
  readonly grpcPort: number
  readonly httpPort: number
  /** The one namespace that is worked on. */
  readonly namespace: string
  /** Who we are in the lease; made unique per life. */
  readonly identity: string
  readonly lease: ObjectName
  readonly leaseTimings: LeaseTimings
  /** undefined: the service account of the pod. */
  readonly kubeconfig: string | undefined
  /** Brands worked on at the same time. */
  readonly concurrency: number
  readonly appStoreUrl: URL
  /** Authority of App Store Connect's TLS; undefined for the system's. */
  readonly appStoreCaPem: string | undefined
  /** Intermediates that pass certificates may be issued by. */
  readonly wwdrPems: readonly string[]
  readonly google: GoogleHosts
  readonly googleCaPem: string | undefined
  /** host:port; undefined: brands' rows are not kept. */
  readonly enrollmentAddress: string | undefined
  readonly apiKey: string
  readonly shardPrefix: string
  readonly ingress: IngressSettings | undefined
  readonly pace: Pace
  /** Without secrets, for the log. */
  readonly description: Record<string, unknown>
}

/** Reads the configuration; throws ConfigError naming the variable. */
export function readOperatorConfig(env: NodeJS.ProcessEnv): OperatorConfig {
  const raw = readConfig(env, shape)
  if (raw.enrollmentAddress !== undefined && raw.apiKey === undefined)
    throw new ConfigError('STAMPEDE_OPERATOR_API_KEY is required with STAMPEDE_ENROLLMENT_ADDRESS')
  return {
    platform: readPlatformConfig(env),
    grpcPort: raw.grpcPort,
    httpPort: raw.httpPort,
    namespace: raw.namespace,
    identity: raw.identity,
    lease: { namespace: raw.namespace, name: raw.lease },
    leaseTimings: leaseTimings(raw.leaseSeconds * 1000),
    kubeconfig: raw.kubeconfig,
    concurrency: raw.concurrency,
    appStoreUrl: new URL(httpsOnly('STAMPEDE_APPSTORE_URL', raw.appStoreUrl)),
    appStoreCaPem: readPem('STAMPEDE_APPSTORE_CA', raw.appStoreCa),
    wwdrPems: readIntermediates(raw),
    google: {
      url: httpsOnly('STAMPEDE_GOOGLE_URL', raw.googleUrl),
      tokenUrl: httpsOnly('STAMPEDE_GOOGLE_TOKEN_URL', raw.googleTokenUrl),
    },
    googleCaPem: readPem('STAMPEDE_GOOGLE_CA', raw.googleCa),
    enrollmentAddress: raw.enrollmentAddress,
    apiKey: raw.apiKey ?? '',
    shardPrefix: raw.shardPrefix,
    ingress: readIngress(raw),
    pace: {
      settleMs: raw.settleSeconds * 1000,
      retryFirstMs: raw.retrySeconds * 1000,
      manualPollMs: raw.manualPollSeconds * 1000,
    },
    description: describeConfig(shape, raw),
  }
}

/** In the proportions of Kubernetes' own controllers: 15 s, 10 s, 2 s. */
function leaseTimings(durationMs: number): LeaseTimings {
  return { durationMs, renewDeadlineMs: (durationMs * 2) / 3, retryMs: (durationMs * 2) / 15 }
}

/** Apple's certificates go with Apple's hosts, and others with others: a sandbox's never pass for real ones. */
function readIntermediates({ appStoreUrl, wwdr }: ConfigOf<typeof shape>): readonly string[] {
  const isApple = new URL(appStoreUrl).hostname.endsWith('.apple.com')
  if (isApple !== (wwdr === undefined))
    throw new ConfigError(
      isApple
        ? 'STAMPEDE_OPERATOR_WWDR is not allowed with an App Store Connect of Apple’s: its intermediates are known'
        : 'STAMPEDE_OPERATOR_WWDR is required with an App Store Connect that is not Apple’s',
    )
  const pems = readPem('STAMPEDE_OPERATOR_WWDR', wwdr)?.match(CERTIFICATE) ?? [appleWwdrPem]
  return pems
}

function readIngress(raw: ConfigOf<typeof shape>): IngressSettings | undefined {
  if (raw.ingressService === undefined) return undefined
  return {
    className: raw.ingressClass,
    annotations: readAnnotations(raw.ingressAnnotations),
    serviceName: raw.ingressService,
    servicePort: raw.ingressPort,
  }
}

function readAnnotations(text: string): Readonly<Record<string, string>> {
  const wrong = new ConfigError('STAMPEDE_OPERATOR_INGRESS_ANNOTATIONS must be a JSON object of texts')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong
  }
  if (!isRecord(value) || !Object.values(value).every((one) => typeof one === 'string')) throw wrong
  return value as Readonly<Record<string, string>>
}

function httpsOnly(env: string, url: string): string {
  if (!url.startsWith('https://')) throw new ConfigError(`${env} must be an https URL`)
  return url
}

function readPem(env: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError(`${env} names a file that cannot be read: ${path}`)
  }
}
