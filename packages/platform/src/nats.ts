import { setTimeout as sleep } from 'node:timers/promises'
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import type { Logger } from './log.ts'
import { fromNats } from './nats-errors.ts'
import type { BucketName } from './subjects.ts'

/** How to reach NATS. */
export interface NatsOptions {
  /** One or several addresses separated by commas, `nats://user:password@host:port`. */
  readonly url: string
  /** Name of the client, seen in the server's lists. */
  readonly name: string
  readonly logger: Logger
}

/** A connection to NATS; it reconnects for ever. Disposing flushes and closes it. */
export interface Nats extends AsyncDisposable {
  readonly connection: NatsConnection
  readonly jetstream: JetStreamClient
  readonly manager: JetStreamManager
  /** Whether a server is there now; what is published while none is gets lost and fails with a time-out. */
  isConnected(): boolean
  /** A key-value bucket; `ensureStreams` makes them. */
  kv(bucket: BucketName): Promise<KV>
}

const firstConnectMs = 30_000
const connectTimeoutMs = 5_000
const reconnectDelayMs = 250
const reconnectJitterMs = 250
/** A stalled socket is noticed after two unanswered pings. */
const pingIntervalMs = 5_000
const pingsMax = 2
const drainMs = 5_000
const apiTimeoutMs = 5_000

/** Connects; throws UNAVAILABLE when no server answers within 30 s. */
export async function connectNats({ url, name, logger }: NatsOptions): Promise<Nats> {
  const connection = await connectWithin(Date.now() + firstConnectMs, optionsOf(url, name))
  const state = { connected: true }
  followStatus(connection, state, logger).catch((error: unknown) => logger.warn({ err: error }, 'status of NATS lost'))
  try {
    const manager = await jetstreamManager(connection, { timeout: apiTimeoutMs })
    const client = jetstream(connection, { timeout: apiTimeoutMs })
    const kvm = new Kvm(client)
    return {
      connection,
      jetstream: client,
      manager,
      isConnected: () => state.connected && !connection.isClosed(),
      kv: (bucket) => kvm.open(bucket),
      [Symbol.asyncDispose]: () => close(connection),
    }
  } catch (error) {
    await connection.close()
    throw fromNats(error)
  }
}

function optionsOf(url: string, name: string): NodeConnectionOptions {
  const addresses = url.split(',').map((address) => new URL(address.trim()))
  const first = addresses[0]
  const user = decodeURIComponent(first?.username ?? '')
  const pass = decodeURIComponent(first?.password ?? '')
  return {
    servers: addresses.map((address) => `${address.protocol}//${address.host}`),
    name,
    ...(user === '' ? {} : { user, pass }),
    timeout: connectTimeoutMs,
    maxReconnectAttempts: -1,
    // A stack trace per publish is 5 to 8 % of a busy service's CPU.
    noAsyncTraces: true,
    reconnectTimeWait: reconnectDelayMs,
    reconnectJitter: reconnectJitterMs,
    // A server that restarts can refuse credentials for a moment.
    ignoreAuthErrorAbort: true,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsMax,
  }
}

async function connectWithin(deadlineMs: number, options: NodeConnectionOptions): Promise<NatsConnection> {
  for (;;) {
    try {
      return await connect(options)
    } catch (error) {
      if (Date.now() > deadlineMs) throw fromNats(error)
      await sleep(reconnectDelayMs)
    }
  }
}

async function followStatus(connection: NatsConnection, state: { connected: boolean }, logger: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') state.connected = false
    if (status.type === 'reconnect') state.connected = true
    if (status.type === 'disconnect') logger.warn({ server: status.server }, 'connection to NATS lost')
    if (status.type === 'reconnect') logger.info({ server: status.server }, 'connection to NATS is back')
    if (status.type === 'error') logger.error({ err: status.error }, 'NATS reports an error')
    if (status.type === 'slowConsumer') logger.warn({ pending: status.pending }, 'reading NATS too slowly')
  }
}

async function close(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return
  const timer = new AbortController()
  const drained = connection.drain().catch(() => connection.close())
  await Promise.race([drained, sleep(drainMs, undefined, { signal: timer.signal }).catch(() => undefined)])
  timer.abort()
  if (!connection.isClosed()) await connection.close()
}
