import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP relay that can fall silent without closing: what a lost peer looks like. */
export interface StallableProxy extends AsyncDisposable {
  readonly url: string
  /** From now on no byte passes, in either direction. */
  stall(): void
}

/** Relays to the port of an https URL on 127.0.0.1. */
export async function stallableProxy(target: string): Promise<StallableProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stall: () => {
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
