import type { AccessDirectory } from '../access.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { PlatformConfig } from '../platform-config.ts'
import type { Binding } from './binding.ts'
import { startGrpcServer } from './grpc-server.ts'
import { startHttpServer } from './http-server.ts'
import { createPipeline } from './pipeline.ts'

/** How long running calls may go on once the server stops. */
const DRAIN_MS = 8_000
/** After that they are aborted and have this long to say so. */
const ABORT_MS = 1_000

/** What a service's server needs. */
export interface ServerOptions {
  /** Name of the service. */
  readonly name: string
  readonly bindings: readonly Binding[]
  /** 0 takes any free port. */
  readonly grpcPort: number
  /** 0 takes any free port. */
  readonly httpPort: number
  readonly platform: Pick<PlatformConfig, 'allowedOrigins' | 'listenHost' | 'tls' | 'httpTls'>
  /** Who holds which key. */
  readonly access: AccessDirectory
  readonly logger: Logger
  readonly metrics: Metrics
  /** Whether the service can do its work now; asked by health checks. */
  ready(): boolean
}

/** A running server. Disposing lets running calls end, at most 9 s, and ends streams at once. */
export interface RunningServer extends AsyncDisposable {
  readonly grpcPort: number
  readonly httpPort: number
}

/** Serves the bindings by gRPC (with health and reflection) and by JSON over HTTP. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { name, bindings, platform, access, logger, metrics } = options
  const pipeline = createPipeline({ access, logger, metrics })
  let stopping = false
  const ready = (): boolean => !stopping && options.ready()
  const grpc = await startGrpcServer({ bindings, port: options.grpcPort, platform, pipeline, serving: ready })
  const http = await startHttpServer({
    name,
    bindings,
    port: options.httpPort,
    platform,
    pipeline,
    metrics,
    ready,
  }).catch(async (error: unknown) => {
    await grpc.stop(0)
    throw error
  })

  async function stop(): Promise<void> {
    stopping = true
    pipeline.endStreams()
    const timer = setTimeout(() => pipeline.abortAll(), DRAIN_MS)
    await Promise.all([grpc.stop(DRAIN_MS + ABORT_MS), http.stop(DRAIN_MS + ABORT_MS)])
    clearTimeout(timer)
  }

  let stopped: Promise<void> | undefined
  return {
    grpcPort: grpc.port,
    httpPort: http.port,
    [Symbol.asyncDispose]: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
