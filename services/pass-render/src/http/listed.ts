import type { Socket } from 'node:net'

/** What a phone was told on a connection. */
interface Listed {
  readonly brand: string
  readonly deviceLibraryId: string
  readonly serials: readonly string[]
}

/** A pass of a brand. */
interface OwnPass {
  readonly brand: string
  readonly serial: string
}

const lists = new WeakMap<Socket, Listed>()

/** Remembers the last list of a connection, for as long as the connection lives. */
export function noteList(socket: Socket, listed: Listed): void {
  lists.set(socket, listed)
}

/**
 * The device that fetches a pass. The protocol does not say it: a phone asks for its list, which names the device, and
 * then on the same connection for the passes of that list. Where a proxy lets many phones share a connection another
 * phone's list may have come between; then, and when a phone fetches without a list, it stays unknown here. Who holds
 * the only registration of the pass is looked up later, see Fetches.
 */
export function deviceThatAskedFor(socket: Socket, { brand, serial }: OwnPass): string | undefined {
  const listed = lists.get(socket)
  return listed?.brand === brand && listed.serials.includes(serial) ? listed.deviceLibraryId : undefined
}
