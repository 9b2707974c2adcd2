import { randomUUID } from 'node:crypto'
import { KubeConfig } from '@kubernetes/client-node'
import {
  createLogger,
  createMetrics,
  type Logger,
  type RunningService,
  type ServiceModule,
  startServer,
  systemClock,
} from '@stampede/platform'
import { type OperatorConfig, readOperatorConfig } from './config.ts'
import { connectKube, createKernelMetrics, type ManagerEnd, runManager, systemScheduler } from './kernel/index.ts'
import { lead } from './lead.ts'

export { type Brand, type BrandSpec, brands } from './crd/brand.ts'
export { type KubeStore, secrets } from './kernel/index.ts'

const NAME = 'operator'

/** The Kubernetes operator: brands' certificates, credentials, rows and domains. */
export const service: ServiceModule = { name: NAME, start }

async function start(env: NodeJS.ProcessEnv): Promise<RunningService> {
  const config = readOperatorConfig(env)
  const logger = createLogger(NAME, config.platform.logLevel)
  logger.info({ config: config.description }, 'configured')
  const metrics = createMetrics(NAME)
  const kernelMetrics = createKernelMetrics(metrics)
  await using stack = new AsyncDisposableStack()
  const transport = stack.use(connectKube({ loadConfig: () => loadKubeConfig(config), metrics: kernelMetrics }))
  const server = stack.use(
    await startServer({
      name: NAME,
      bindings: [],
      grpcPort: config.grpcPort,
      httpPort: config.httpPort,
      platform: config.platform,
      access: { find: () => undefined },
      logger,
      metrics,
      // A replica that waits for the lease is as ready as one can be.
      ready: () => true,
    }),
  )
  const stop = new AbortController()
  // Unique per life: a restarted pod must not take its former life's lease for its own.
  const identity = `${config.identity}_${randomUUID()}`
  const { lease, leaseTimings: timings } = config
  const common = { transport, lease, identity, timings, clock: systemClock, scheduler: systemScheduler, logger }
  const managing = runManager(
    {
      ...common,
      metrics: kernelMetrics,
      lead: () => lead({ config, transport, identity, logger, metrics, kernelMetrics }),
    },
    stop.signal,
  ).then((end) => finish(end, logger))
  stack.defer(async () => {
    stop.abort()
    await managing
  })
  const running = stack.move()
  return {
    name: NAME,
    grpcPort: server.grpcPort,
    httpPort: server.httpPort,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Without its lease a process must end: another one leads, and nothing of this one may go on. */
function finish(end: ManagerEnd, logger: Logger): void {
  if (end.how === 'stopped') return
  logger.error({ err: end.reason }, 'the lease is lost, the process ends')
  process.kill(process.pid, 'SIGTERM')
}

function loadKubeConfig({ kubeconfig }: OperatorConfig): KubeConfig {
  const config = new KubeConfig()
  if (kubeconfig === undefined) config.loadFromCluster()
  else config.loadFromFile(kubeconfig)
  return config
}
