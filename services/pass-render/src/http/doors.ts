import type { Server } from 'node:https'
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'

/**
 * Listening sockets on one port. Node accepts one connection per socket and turn of its event loop, and under load a
 * turn lasts some milliseconds: through one door phones would come in more slowly than they can be turned away, and the
 * system drops what no longer fits before it. Only Linux spreads connections over the sockets of a port.
 */
const DOORS = process.platform === 'linux' ? 32 : 1
/** Connections that the system holds for a door while a turn of the event loop lasts. */
const BACKLOG = 128
/** Open connections of all doors. */
const MAX_CONNECTIONS = 50_000

/** Where to listen. */
export interface Address {
  readonly port: number
  readonly host: string
}

/** Opens all doors of a server; connections of each go to `arrive`. Returns the port; rejects if it is taken. */
export async function openDoors(
  server: Server,
  { port, host }: Address,
  arrive: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly doors: readonly NetServer[] }> {
  // Sockets that share a port would also share it with another process: whether it is free is asked without sharing.
  const probe = createServer()
  const free = await listen(probe, { port, host })
  await new Promise((resolve) => probe.close(resolve))
  // Without noDelay the list waits for the phone to acknowledge what ended the handshake: 40 ms of every visit.
  const doors = [server, ...Array.from({ length: DOORS - 1 }, () => createServer({ noDelay: true }))]
  for (const door of doors) {
    door.maxConnections = Math.ceil(MAX_CONNECTIONS / DOORS)
    door.on('connection', arrive)
    await listen(door, { port: free, host, reusePort: DOORS > 1 })
  }
  return { port: free, doors }
}

async function listen(server: NetServer, address: Address & { readonly reusePort?: boolean }): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ ...address, backlog: BACKLOG }, resolve)
  await promise
  server.off('error', reject)
  return (server.address() as AddressInfo).port
}
