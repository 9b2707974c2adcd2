import type { DispatcherMetrics } from '../metrics.ts'
import type { H2PushTransport } from './h2push-transport.ts'
import type { Lane } from './transport.ts'

/** How often the connections are looked at, in milliseconds. */
const LOOK_MS = 1_000
const lanes: readonly Lane[] = ['tx', 'bulk']

/** Keeps the gauges of connections and of pushes on the wire up to date; disposing ends that. */
export function watchLoad(transport: Pick<H2PushTransport, 'load'>, metrics: DispatcherMetrics): Disposable {
  const look = () => {
    for (const lane of lanes) {
      const { inFlight, ...connections } = transport.load(lane)
      metrics.inFlight.set({ lane }, inFlight)
      for (const [state, count] of Object.entries(connections)) metrics.connections.set({ lane, state }, count)
    }
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  look()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
