import { CampaignsServiceService, WatchCampaignResponse } from '@stampede/proto/campaigns/v1'
import { EnrollmentServiceService, Member } from '@stampede/proto/enrollment/v1'
import { GeoServiceService, type PutStoresRequest } from '@stampede/proto/geo/v1'
import { type AccessDirectory, type Caller, hashApiKey } from '../access.ts'
import { notFound } from '../errors.ts'
import { createLogger } from '../log.ts'
import { createMetrics } from '../metrics.ts'
import type { TlsFiles } from '../platform-config.ts'
import { bind, type CallContext, type Handlers } from './binding.ts'
import { createClient } from './client.ts'
import { type RunningServer, type ServerOptions, startServer } from './server.ts'

/** API keys of the tests' callers; `till-one` is the key of brand `one`. */
export const keys = {
  root: 'sk_root',
  service: 'sk_service',
  till: 'sk_till',
  support: 'sk_support',
  marketer: 'sk_marketer',
  brandAdmin: 'sk_brand_admin',
  allTill: 'sk_all_till',
} as const

const callers: Readonly<Record<string, Caller>> = {
  [keys.root]: { keyId: 'root', role: 'admin', brands: 'all' },
  [keys.service]: { keyId: 'service', role: 'service', brands: 'all' },
  [keys.till]: { keyId: 'k1', role: 'till', brands: ['one'] },
  [keys.support]: { keyId: 'k2', role: 'support', brands: ['one'] },
  [keys.marketer]: { keyId: 'k3', role: 'marketer', brands: ['one', 'two'] },
  [keys.brandAdmin]: { keyId: 'k4', role: 'brand_admin', brands: ['one'] },
  [keys.allTill]: { keyId: 'k5', role: 'till', brands: 'all' },
}
const byHash = new Map(Object.entries(callers).map(([key, caller]) => [hashApiKey(key), caller]))
const access: AccessDirectory = { find: (hash) => byHash.get(hash) }

/** A version that no number of JSON can hold. */
export const BIG_VERSION = 9_007_199_254_740_993n

/** Handlers that remember the last stores put; any of them can be replaced. */
export function geoHandlers(changes: Partial<Handlers<typeof GeoServiceService>> = {}) {
  const seen: { put?: PutStoresRequest; call?: CallContext } = {}
  const handlers: Handlers<typeof GeoServiceService> = {
    putStores: async (request, call) => {
      seen.put = request
      seen.call = call
      return { stored: request.stores.length }
    },
    listStores: async ({ brand }) => {
      if (brand === 'gone') throw notFound()
      return { stores: [], nextPageToken: '' }
    },
    findNearest: async ({ latitude, longitude, limit }) => ({
      stores: [{ store: undefined, distanceMeters: latitude + longitude + limit }],
    }),
    getRelevance: async () => ({ stores: [], version: BIG_VERSION }),
    ...changes,
  }
  return { handlers, seen }
}

type WatchHandler = Handlers<typeof CampaignsServiceService>['watchCampaign']

/** Three items, then the end. */
export async function* threeItems(): AsyncIterable<WatchCampaignResponse> {
  for (const status of ['running', 'paused', 'done']) yield WatchCampaignResponse.fromPartial({ status })
}

function unsupported(): Promise<never> {
  return Promise.reject(notFound())
}

function campaignHandlers(watchCampaign: WatchHandler): Handlers<typeof CampaignsServiceService> {
  return {
    createCampaign: unsupported,
    getCampaign: unsupported,
    listCampaigns: unsupported,
    startCampaign: unsupported,
    pauseCampaign: unsupported,
    resumeCampaign: unsupported,
    abortCampaign: unsupported,
    watchCampaign,
  }
}

const enrollmentHandlers: Handlers<typeof EnrollmentServiceService> = {
  createBrand: async ({ brand }) => ({ brand }),
  updateBrand: async ({ brand }) => ({ brand }),
  getBrand: async () => ({ brand: undefined }),
  createApiKey: unsupported,
  revokeApiKey: unsupported,
  enroll: unsupported,
  importMembers: unsupported,
  getMember: async ({ memberId, cardNumber, reference }) => {
    return { member: Member.fromPartial({ memberId, cardNumber, reference, enrolledAt: new Date(0) }) }
  },
  listMembers: unsupported,
  getMemberKeys: async () => ({ keys: [] }),
}

/** What a test may set. */
export interface FixtureOptions extends Partial<Pick<ServerOptions, 'grpcPort' | 'ready'>> {
  readonly geo?: Partial<Handlers<typeof GeoServiceService>>
  readonly watch?: WatchHandler
  readonly tls?: TlsFiles
  readonly httpTls?: boolean
  readonly allowedOrigins?: readonly string[]
}

interface JsonInit extends RequestInit {
  readonly apiKey?: string
  readonly headers?: Record<string, string>
}

/** A server with fake geo, campaigns and enrolment, and clients for it. */
export async function startFixture(options: FixtureOptions = {}) {
  const { grpcPort = 0, ready = () => true, allowedOrigins = [] } = options
  const { handlers, seen } = geoHandlers(options.geo)
  const metrics = createMetrics('geo')
  const server: RunningServer = await startServer({
    name: 'geo',
    bindings: [
      bind(GeoServiceService, handlers),
      bind(CampaignsServiceService, campaignHandlers(options.watch ?? threeItems)),
      bind(EnrollmentServiceService, enrollmentHandlers),
    ],
    grpcPort,
    httpPort: 0,
    platform: { listenHost: '127.0.0.1', tls: options.tls, httpTls: options.httpTls ?? false, allowedOrigins },
    access,
    logger: createLogger('geo', 'silent'),
    metrics,
    ready,
  })
  const address = `localhost:${server.grpcPort}`
  const base = `http://127.0.0.1:${server.httpPort}`
  const settings = (apiKey: string) => ({ address, apiKey, platform: { tls: options.tls } })
  return {
    server,
    seen,
    metrics,
    address,
    base,
    geo: (apiKey: string = keys.root) => createClient(GeoServiceService, settings(apiKey)),
    campaigns: (apiKey: string = keys.root) => createClient(CampaignsServiceService, settings(apiKey)),
    enrollment: (apiKey: string = keys.root) => createClient(EnrollmentServiceService, settings(apiKey)),
    /** Calls the JSON mapping. */
    json: (path: string, init: JsonInit = {}) =>
      fetch(`${base}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${init.apiKey ?? keys.root}`,
          ...(init.body ? { 'content-type': 'application/json' } : {}),
          ...init.headers,
        },
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
