import { once } from 'node:events'
import { ConfigError } from './config.ts'
import { createLogger, type Logger } from './log.ts'
import type { OwnSchema } from './migrations.ts'
import { describePlatformConfig, readPlatformConfig } from './platform-config.ts'

/** How long an orderly stop may take before the process ends anyway. */
const STOP_MS = 15_000
const EXIT_OK = 0
const EXIT_FAILED = 1
const EXIT_CONFIG = 2

/** A service as its package exports it. */
export interface ServiceModule {
  /** Such as `ledger` or `pass-render`. */
  readonly name: string
  /** What it keeps in PostgreSQL; undefined: nothing. */
  readonly ownSchema?: OwnSchema
  /** Starts it; everything it needs to know is in the environment. */
  start(env: NodeJS.ProcessEnv): Promise<RunningService>
}

/** A service that runs; disposing stops it in good order. */
export interface RunningService extends AsyncDisposable {
  readonly name: string
  readonly grpcPort: number
  readonly httpPort: number
}

/**
 * The `main` of a process: starts the services one after the other, prints one line, and stops them in reverse order
 * at SIGTERM or SIGINT, or when the parent that it has an IPC channel to is gone. The process then exits with 0; with 1
 * if a service cannot start or does not stop within 15 s, with 2 if the environment is wrong. A second signal ends it
 * at once. Never returns normally: the process ends.
 */
export async function runServices(
  modules: readonly ServiceModule[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<never> {
  const stop = stopRequest()
  try {
    const logger = createLogger('main', readPlatformConfig(env).logLevel)
    logger.info({ config: describePlatformConfig(env) }, 'starting')
    const services = new AsyncDisposableStack()
    await startAll(modules, env, services, stop)
    if (!stop.aborted) await once(stop, 'abort')
    return process.exit(await stopAll(services, logger))
  } catch (error) {
    const isConfig = error instanceof ConfigError
    process.stderr.write(`stampede: ${isConfig ? error.message : describe(error)}\n`)
    return process.exit(isConfig ? EXIT_CONFIG : EXIT_FAILED)
  }
}

/** Aborted when the process is asked to stop; asked twice, it exits at once. */
function stopRequest(): AbortSignal {
  const stop = new AbortController()
  const ask = (): void => {
    if (stop.signal.aborted) process.exit(EXIT_FAILED)
    stop.abort()
  }
  process.on('SIGTERM', ask)
  process.on('SIGINT', ask)
  if (process.connected) process.once('disconnect', () => stop.abort())
  return stop.signal
}

async function startAll(
  modules: readonly ServiceModule[],
  env: NodeJS.ProcessEnv,
  services: AsyncDisposableStack,
  stop: AbortSignal,
): Promise<void> {
  const lines: string[] = []
  for (const module of modules) {
    // A start that is under way is let through: stopping it half-way is what nobody has tested.
    if (stop.aborted) return
    try {
      const service = services.use(await module.start(env))
      lines.push(`${service.name} (gRPC ${service.grpcPort}, HTTP ${service.httpPort})`)
    } catch (error) {
      await services.disposeAsync().catch(() => undefined)
      throw error instanceof ConfigError ? error : new Error(`${module.name} cannot start`, { cause: error })
    }
  }
  process.stdout.write(`stampede: ${lines.join(', ')} ready\n`)
}

async function stopAll(services: AsyncDisposableStack, logger: Logger): Promise<number> {
  const tooLate = Promise.withResolvers<number>()
  const timer = setTimeout(() => {
    logger.error({ stopMs: STOP_MS }, 'services did not stop in time')
    tooLate.resolve(EXIT_FAILED)
  }, STOP_MS)
  const stopped = services.disposeAsync().then(
    () => EXIT_OK,
    (error: unknown) => {
      logger.error({ err: error }, 'services did not stop in good order')
      return EXIT_FAILED
    },
  )
  const code = await Promise.race([stopped, tooLate.promise])
  clearTimeout(timer)
  return code
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}
