import { connectNats, createMetrics, type Nats, openCredentials, watchBrands, watchControl } from '@stampede/platform'
import { tempDir, testParts } from '@stampede/platform/testing'
import type { ApnsTransport, Lane } from '../apns/transport.ts'
import { readDispatcherConfig } from '../config.ts'
import { createLaneParts } from '../context.ts'
import { BrandLanes } from '../jobs/brand-lanes.ts'
import { type Presence, startPresence } from '../jobs/presence.ts'
import { createDispatcherMetrics, type DispatcherMetrics } from '../metrics.ts'
import { testSharingTimings as timings } from './sharing-timings.ts'

/** The part of a dispatcher that reads lanes, on real NATS and a transport of the test's. */
export interface Replica extends AsyncDisposable {
  readonly presence: Presence
  readonly metrics: DispatcherMetrics
  /** Lanes that it reads now. */
  lanes(lane: Lane): Promise<number>
  /** Loses its broker for good, without a word to anybody. */
  cut(): Promise<void>
}

/** Starts a replica of that name, which decides what it serves; disposing is the orderly end. */
export async function startReplica(natsUrl: string, replica: string, transport: ApnsTransport): Promise<Replica> {
  const { logger } = testParts('replica')
  await using stack = new AsyncDisposableStack()
  const dir = tempDir('replica')
  stack.defer(() => dir[Symbol.dispose]())
  const nats: Nats = stack.use(await connectNats({ url: natsUrl, name: 'replica', logger }))
  const metrics = createDispatcherMetrics(createMetrics('push-dispatcher'))
  const brands = stack.use(await watchBrands(nats))
  const control = stack.use(await watchControl(nats))
  const credentials = stack.use(await openCredentials({ dir: dir.path, logger }))
  const config = readDispatcherConfig({ STAMPEDE_CREDENTIALS_DIR: dir.path })
  const presence = stack.use(await startPresence({ nats, replica, logger, timings }))
  const input = { nats, brands, control, credentials, config, logger, metrics }
  stack.use(new BrandLanes(createLaneParts(input, transport, presence), presence, timings))
  stack.defer(() => presence.leave())
  const running = stack.move()
  return {
    presence,
    metrics,
    lanes: async (lane) => {
      const { values } = await metrics.lanes.get()
      return values.find(({ labels }) => labels.lane === lane)?.value ?? 0
    },
    cut: () => nats.connection.close(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
