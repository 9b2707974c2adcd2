import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net'
import type { Header } from './headers.ts'

const FRAME_HEADER_BYTES = 9
const PREFACE_BYTES = 24
const PING_BYTES = 8
const HEADERS = 1
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const ACK = 1
const END_STREAM_AND_HEADERS = 5
const COMPRESSION_ERROR = 9

interface Frame {
  readonly type: number
  readonly flags: number
  readonly payload: Buffer
}

/** A listening socket for `NodeSession.open`; close it at the end. */
export async function listen(): Promise<Server> {
  const server = createServer({ noDelay: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/**
 * A client of `node:http2`, and a server played by hand that answers with given header blocks: node decodes them with
 * nghttp2.
 */
export class NodeSession {
  readonly #client: ClientHttp2Session
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #isPrefaceRead = false
  readonly #frames: Frame[] = []
  #onFrame: (() => void) | undefined
  #nextStreamId = 1

  private constructor(client: ClientHttp2Session, socket: Socket) {
    this.#client = client
    this.#socket = socket
    client.on('error', () => undefined)
    client.on('stream', (stream) => stream.on('error', () => undefined))
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** A session whose client announced this SETTINGS_HEADER_TABLE_SIZE, and got its acknowledgement. */
  static async open(server: Server, tableBytesMax: number): Promise<NodeSession> {
    const { port } = server.address() as AddressInfo
    const accepted = once(server, 'connection')
    const client = connect(`http://127.0.0.1:${port}`, {
      createConnection: () => dial({ port, host: '127.0.0.1', noDelay: true }),
      settings: { headerTableSize: tableBytesMax, enablePush: false },
    })
    const [socket] = (await accepted) as [Socket]
    const session = new NodeSession(client, socket)
    session.#write(SETTINGS, 0, 0, new Uint8Array(0))
    await session.#acknowledge()
    return session
  }

  /** The client announces another size, and gets its acknowledgement. */
  async setTableBytesMax(bytes: number): Promise<void> {
    this.#client.settings({ headerTableSize: bytes })
    await this.#acknowledge()
  }

  /**
   * The client makes a request for each block, which is the answer to it; at most 128 headers each. Returns their
   * headers, without those that are not valid in HTTP, nothing for a block that is not valid as a whole; undefined when
   * one cannot be decoded.
   */
  async decode(blocks: readonly Uint8Array[]): Promise<readonly (readonly Header[] | undefined)[] | undefined> {
    const lists = new Array<readonly Header[] | undefined>(blocks.length).fill(undefined)
    const firstStreamId = this.#nextStreamId
    this.#nextStreamId += 2 * blocks.length
    for (const index of blocks.keys()) {
      const stream = this.#client.request({})
      stream.on('error', () => undefined)
      stream.on('response', (_headers, _flags, raw?: string[]) => {
        lists[index] = pairs(raw ?? [])
      })
      stream.resume()
      await this.#frame(HEADERS)
    }
    this.#socket.cork()
    for (const [index, block] of blocks.entries())
      this.#write(HEADERS, END_STREAM_AND_HEADERS, firstStreamId + 2 * index, block)
    this.#write(PING, 0, 0, Buffer.alloc(PING_BYTES))
    this.#socket.uncork()
    const { type, payload } = await this.#frame(PING, GOAWAY)
    if (type === PING) return lists
    const code = payload.readUInt32BE(4)
    if (code !== COMPRESSION_ERROR) throw new Error(`GOAWAY with code ${code}`)
    return undefined
  }

  /** Ends both sides. */
  [Symbol.dispose](): void {
    this.#client.destroy()
    this.#socket.destroy()
  }

  async #acknowledge(): Promise<void> {
    while ((await this.#frame(SETTINGS)).flags === ACK);
    this.#write(SETTINGS, ACK, 0, new Uint8Array(0))
    // Its PING is answered after it: by then the size is in force.
    this.#write(PING, 0, 0, Buffer.alloc(PING_BYTES))
    await this.#frame(PING)
  }

  /** The next frame of one of these types. */
  async #frame(...types: readonly number[]): Promise<Frame> {
    while (true) {
      const frame = this.#frames.shift()
      if (frame === undefined) {
        if (this.#socket.destroyed) throw new Error('the client closed the connection')
        await new Promise<void>((resolve) => {
          this.#onFrame = resolve
          this.#socket.once('close', resolve)
        })
        this.#socket.removeAllListeners('close')
        continue
      }
      if (types.includes(frame.type)) return frame
    }
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    if (!this.#isPrefaceRead) {
      if (this.#received.length < PREFACE_BYTES) return
      this.#received = this.#received.subarray(PREFACE_BYTES)
      this.#isPrefaceRead = true
    }
    while (this.#received.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + this.#received.readUIntBE(0, 3)
      if (this.#received.length < end) break
      const [type = 0, flags = 0] = this.#received.subarray(3)
      this.#frames.push({ type, flags, payload: this.#received.subarray(FRAME_HEADER_BYTES, end) })
      this.#received = this.#received.subarray(end)
    }
    this.#onFrame?.()
  }

  #write(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    const header = Buffer.alloc(FRAME_HEADER_BYTES)
    header.writeUIntBE(payload.length, 0, 3)
    header[3] = type
    header[4] = flags
    header.writeUInt32BE(streamId, 5)
    this.#socket.write(Buffer.concat([header, payload]))
  }
}

function pairs(raw: readonly string[]): readonly Header[] {
  const headers: Header[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) headers.push([raw[index] ?? '', raw[index + 1] ?? ''])
  return headers
}
