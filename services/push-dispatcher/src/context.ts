import type { BrandDirectory, ControlDirectory, Credentials, Logger, Nats } from '@stampede/platform'
import { assertCredentialMatchesHost } from '@stampede/platform'
import { H2PushTransport } from './apns/h2push-transport.ts'
import { defaultTimings, type TransportTimings } from './apns/options.ts'
import type { ApnsTransport } from './apns/transport.ts'
import { BrandPaces } from './chunks/brand-pace.ts'
import { RateGate } from './chunks/rate-gate.ts'
import { TokenBreakers } from './chunks/token-breakers.ts'
import { watchAnswers } from './chunks/watched-transport.ts'
import type { DispatcherConfig } from './config.ts'
import { laneCopies } from './domain/lane-owners.ts'
import { BulkSlots } from './jobs/bulk-slots.ts'
import { type LaneParts, RunRegistry } from './jobs/lane.ts'
import type { Presence } from './jobs/presence.ts'
import type { DispatcherMetrics } from './metrics.ts'

/** Chunks of the bulk lane in flight per replica: a killed replica repeats no more than these. */
const BULK_CHUNKS = 2

/** What the dispatcher is made of. */
export interface ContextInput {
  readonly nats: Nats
  readonly brands: BrandDirectory
  readonly control: ControlDirectory
  readonly credentials: Credentials
  readonly config: DispatcherConfig
  readonly logger: Logger
  readonly metrics: DispatcherMetrics
  /** Default: those for Apple. */
  readonly timings?: TransportTimings
}

/** Everything that the lanes share. */
export function createLaneParts(input: ContextInput, apns: ApnsTransport, presence: Presence): LaneParts {
  const { nats, logger, metrics, brands, control, config } = input
  const runs = new RunRegistry()
  control.onChange((brand, campaignId) => runs.notify(brand, campaignId))
  const breakers = createBreakers(input)
  const transport = watchAnswers(apns, (brand, lane, answers, bad) => {
    if (bad > 0) metrics.badTokens.inc({ brand, lane }, bad)
    if (lane === 'bulk') breakers.record(brand, answers, bad, Date.now())
  })
  const ceilings = {
    globalPerSecond: config.maxPerSecond,
    bulkPerSecond: (brand: string) => {
      const { maxBulkPerSecond = 0, weight = 1 } = brands.get(brand) ?? {}
      // The ceiling holds for all replicas that serve the brand: each gets its part of it.
      return maxBulkPerSecond / laneCopies('bulk', weight, presence.replicas().length)
    },
  }
  return {
    nats,
    logger,
    metrics,
    brands,
    control,
    transport,
    gate: new RateGate(ceilings, breakers),
    paces: new BrandPaces(breakers),
    slots: new BulkSlots(BULK_CHUNKS),
    runs,
  }
}

function createBreakers({ metrics, logger }: ContextInput): TokenBreakers {
  return new TokenBreakers((brand, isBlocked) => {
    metrics.openBreakers.set({ brand }, isBlocked ? 1 : 0)
    if (isBlocked) logger.error({ brand }, 'most tokens of the brand are bad: its campaigns wait, small probes go on')
    else logger.info({ brand }, 'the tokens of the brand are good again')
  })
}

/** The transport to APNs: each brand with its own certificate, renewed as the file changes. */
export function createTransport(input: ContextInput): H2PushTransport {
  const { credentials, config, logger, metrics, timings = defaultTimings } = input
  const transport = new H2PushTransport({
    url: config.apnsUrl.origin,
    timings,
    identity: (brand) => {
      const credential = credentials.apple(brand)
      if (credential === undefined) return undefined
      // Checked at each dial, because a certificate can be replaced at any time.
      assertCredentialMatchesHost(credential, config.apnsUrl.hostname)
      const { certPem, wwdrPem, keyPem } = credential
      return { certPem: `${certPem}\n${wwdrPem}`, keyPem, caPem: config.apnsCaPem }
    },
    events: {
      dialed: (brand) => metrics.dials.inc({ brand }),
      dialFailed: (brand, cause) => {
        metrics.dialFailures.inc({ brand })
        logger.warn({ brand, cause }, 'APNs cannot be reached')
      },
      goaway: (brand, code, reason) => {
        metrics.goaways.inc({ brand })
        logger.info({ brand, code, reason }, 'APNs closes a connection')
      },
      lost: (brand, pushes, cause) => {
        metrics.unknownOutcomes.inc({ brand }, pushes)
        logger.warn({ brand, pushes, cause }, 'a connection ended with pushes on it, they are repeated')
      },
      stopped: (brand, reason) => {
        metrics.stopped.set({ brand }, reason === undefined ? 0 : 1)
        if (reason === undefined) logger.info({ brand }, 'the brand may push again')
        else logger.error({ brand, reason }, 'the brand cannot push: its certificate is missing or refused')
      },
    },
  })
  credentials.onChange((brand) => transport.renew(brand))
  return transport
}

/** Refuses to start with credentials of Apple's for another host, or the other way round. */
export function assertCredentials(credentials: Credentials, brands: BrandDirectory, host: string): void {
  for (const { brand } of brands.list()) {
    const credential = credentials.apple(brand)
    if (credential !== undefined) assertCredentialMatchesHost(credential, host)
  }
}
