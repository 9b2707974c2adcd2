import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A relay between a client and a server of this machine, for connections that go bad. Disposing cuts everything. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Forwards nothing more on the connections that are open now, and leaves them open: they are half-open. */
  freeze(): void
  /** Resets the connections that are open now. */
  reset(): void
}

/** Starts a relay to a port of 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      for (const socket of open) socket.unpipe().pause()
    },
    reset: () => {
      for (const socket of open) socket.resetAndDestroy()
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
