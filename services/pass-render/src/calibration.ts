import { generateKeyPair, sign } from 'node:crypto'
import { on, once } from 'node:events'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { PhoneCosts } from './domain/phone-costs.ts'

/** Signatures of the measurement; the first few are not counted. */
const SIGNATURES = 60
/** Connections of the measurement, and requests of each; the first part only warms the code up. */
const WARMUP_CONNECTIONS = 80
const CONNECTIONS = 100
const REQUESTS = 10
/** What renders, packs and sends a pass, beside its signature, as a multiple of an answer without a body. */
const RENDERING_ANSWERS = 3
/** The measured code is hardly compiled, and one phone at a time wakes it for each thing: under load it takes so much. */
const WARM_SHARE = 0.6
const DEADLINE_MS = 20_000
const HOST = '127.0.0.1'
/** Nobody has this pass type: the answer is 204, without a look at the database. */
const PATH = '/v1/devices/calibration/registrations/pass.calibration'

/** Costs of a phone, and of its pass the part that runs in the thread pool. */
export interface MeasuredCosts extends PhoneCosts {
  readonly signatureMs: number
}

/**
 * Measures what phones will cost before the first has come: real handshakes and requests with our own web server, made
 * by a thread of its own, and signatures with a key of the size that Apple's have. Takes about half a second.
 */
export async function measurePhoneCosts(port: number): Promise<MeasuredCosts> {
  const signatureMs = await signatureCostMs()
  await using worker = startPhone(port)
  await worker.run(WARMUP_CONNECTIONS, 2)
  const single = await worker.run(CONNECTIONS, 1)
  const many = await worker.run(CONNECTIONS / REQUESTS, REQUESTS)
  // single = connections x (handshake + answer); many has as many answers, but a tenth of the handshakes.
  const handshakeMs = ((single - many) / (CONNECTIONS - CONNECTIONS / REQUESTS)) * WARM_SHARE
  const answerMs = Math.max(0, many / CONNECTIONS - handshakeMs / REQUESTS) * WARM_SHARE
  return { handshakeMs, answerMs, signatureMs, signedMs: signatureMs + RENDERING_ANSWERS * answerMs }
}

async function signatureCostMs(): Promise<number> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const data = Buffer.alloc(100)
  for (let index = 0; index < SIGNATURES / 4; index++) sign('sha256', data, privateKey)
  const before = process.threadCpuUsage()
  for (let index = 0; index < SIGNATURES; index++) sign('sha256', data, privateKey)
  return sinceMs(before) / SIGNATURES
}

function sinceMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage()
  return (user - before.user + system - before.system) / 1_000
}

interface Phone extends AsyncDisposable {
  /** CPU time of our own thread while the phone makes connections with so many requests each, in milliseconds. */
  run(connections: number, requests: number): Promise<number>
}

function startPhone(port: number): Phone {
  const worker = new Worker(import.meta.filename, { workerData: { calibrates: port } })
  return {
    run: async (connections, requests) => {
      const before = process.threadCpuUsage()
      worker.postMessage({ connections, requests })
      await once(worker, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })
      return sinceMs(before)
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate()
    },
  }
}

interface Order {
  readonly connections: number
  readonly requests: number
}

/** The thread: makes one connection after the other. */
async function playPhones(port: number): Promise<void> {
  for await (const [order] of on(parentPort ?? fail(), 'message')) {
    const { connections, requests } = order as Order
    for (let connection = 0; connection < connections; connection++) await visit(port, requests)
    parentPort?.postMessage('done')
  }
}

async function visit(port: number, requests: number): Promise<void> {
  // Our own certificate need not name this address.
  const socket = connect({ port, host: HOST, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  for (let index = 0; index < requests; index++) {
    socket.write(`GET ${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    // An answer without a body is one small record.
    await once(socket, 'data')
  }
  socket.destroy()
}

function fail(): never {
  throw new Error('only a worker plays phones')
}

if (!isMainThread && workerData?.calibrates !== undefined) await playPhones(Number(workerData.calibrates))
