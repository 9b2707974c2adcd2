import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js'

/** How often Watch looks whether the state has changed. */
const WATCH_INTERVAL_MS = 1_000
const SERVING = 1
const NOT_SERVING = 2
const SERVICE_UNKNOWN = 3

interface HealthCheckRequest {
  readonly service: string
}
interface HealthCheckResponse {
  readonly status: number
}

function codec(path: string, responseStream: boolean) {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: ({ service }: HealthCheckRequest): Buffer =>
      Buffer.from(new BinaryWriter().uint32(10).string(service).finish()),
    requestDeserialize: (bytes: Buffer): HealthCheckRequest => ({ service: readField(bytes, (r) => r.string()) ?? '' }),
    responseSerialize: (response: HealthCheckResponse): Buffer =>
      Buffer.from(new BinaryWriter().uint32(8).int32(response.status).finish()),
    responseDeserialize: (bytes: Buffer): HealthCheckResponse => ({ status: readField(bytes, (r) => r.int32()) ?? 0 }),
  }
}

/** Field 1 of a message; both of health's messages have no other. */
function readField<T>(bytes: Buffer, read: (reader: BinaryReader) => T): T | undefined {
  const reader = new BinaryReader(bytes)
  let value: T | undefined
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag()
    if (number === 1) value = read(reader)
    else reader.skip(wireType, number)
  }
  return value
}

/** The standard `grpc.health.v1.Health`: its two small messages are written by hand. */
export const healthService = {
  check: codec('/grpc.health.v1.Health/Check', false),
  watch: codec('/grpc.health.v1.Health/Watch', true),
} as const

/**
 * Handlers of the health service. `serving` is asked at each call; '' stands for the whole server. When the server
 * stops, watchers are told so and their streams end.
 */
export function healthHandlers(services: ReadonlySet<string>, serving: () => boolean, stopping: AbortSignal) {
  const state = (): number => (serving() ? SERVING : NOT_SERVING)
  const known = (service: string): boolean => service === '' || services.has(service)

  return {
    check: (
      call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      answer: sendUnaryData<HealthCheckResponse>,
    ): void => {
      if (known(call.request.service)) answer(null, { status: state() })
      else answer({ code: status.NOT_FOUND, details: 'no such service' })
    },
    watch: (call: ServerWritableStream<HealthCheckRequest, HealthCheckResponse>): void => {
      const current = known(call.request.service) ? state : () => SERVICE_UNKNOWN
      let told = current()
      call.write({ status: told })
      const timer = setInterval(() => {
        const now = current()
        if (now !== told) call.write({ status: now })
        told = now
      }, WATCH_INTERVAL_MS)
      const onStop = (): void => {
        call.write({ status: NOT_SERVING })
        call.end()
      }
      const end = (): void => {
        clearInterval(timer)
        stopping.removeEventListener('abort', onStop)
      }
      stopping.addEventListener('abort', onStop, { once: true })
      call.once('cancelled', end)
      call.once('close', end)
    },
  }
}
