import { createClient, type Logger, type Metrics, systemClock } from '@stampede/platform'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import type { OperatorConfig } from './config.ts'
import type { Context } from './context.ts'
import { type AppleAccount, appleAccounts } from './crd/apple-account.ts'
import { brands } from './crd/brand.ts'
import { brandLabel } from './crd/meta.ts'
import { createHttpsJson } from './https-json.ts'
import {
  createEventRecorder,
  createStatusWriter,
  createStore,
  type KernelMetrics,
  type KubeTransport,
  keyOf,
  type SecretObject,
  secrets,
  startController,
  startInformer,
  systemScheduler,
  watchDependents,
  watchObjects,
} from './kernel/index.ts'
import { createOperatorMetrics } from './metrics.ts'
import { reconcileAccount } from './reconcile/account.ts'
import { AppStores } from './reconcile/app-stores.ts'
import { reconcileBrand } from './reconcile/brand.ts'
import { FailedWith } from './reconcile/failed-with.ts'
import { GoogleVerdicts } from './reconcile/google.ts'
import { revisionLabel } from './reconcile/key-secrets.ts'

const MANAGER = 'stampede-operator'
const CONTROLLER = 'stampede.dev/operator'

/** What leading is made of. */
export interface LeadOptions {
  readonly config: OperatorConfig
  readonly transport: KubeTransport
  readonly identity: string
  readonly logger: Logger
  readonly metrics: Metrics
  readonly kernelMetrics: KernelMetrics
}

/** Starts what only the leader runs: caches, then controllers. Disposing stops them in reverse order. */
export async function lead(options: LeadOptions): Promise<AsyncDisposable> {
  const { config, transport, logger, kernelMetrics } = options
  const { namespace } = config
  await using stack = new AsyncDisposableStack()
  const store = createStore(transport, { fieldManager: MANAGER })
  const caches = { transport, store, namespace, scheduler: systemScheduler, metrics: kernelMetrics, logger }
  const brandCache = stack.use(startInformer({ ...caches, resource: brands }))
  const accountCache = stack.use(startInformer({ ...caches, resource: appleAccounts }))
  // Secrets that people put beside a brand, such as certificates handed in; not the operator's own.
  const labelSelector = `${brandLabel},!${revisionLabel}`
  const secretCache = stack.use(startInformer({ ...caches, resource: secrets, labelSelector }))
  const context = createContext(options, stack, brandCache, accountCache)
  const common = { scheduler: systemScheduler, metrics: kernelMetrics, logger }
  stack.use(
    startController({
      ...common,
      name: 'appleaccounts',
      sources: [watchObjects(accountCache)],
      reconcile: (key) => reconcileAccount(context, key),
    }),
  )
  stack.use(
    startController({
      ...common,
      name: 'brands',
      concurrency: config.concurrency,
      sources: [
        watchObjects(brandCache),
        watchDependents(accountCache, (account) => brandsOf(account, brandCache)),
        watchDependents(secretCache, brandOf),
      ],
      reconcile: (key) => reconcileBrand(context, key),
    }),
  )
  return stack.move()
}

function createContext(
  { config, transport, identity, logger, metrics, kernelMetrics }: LeadOptions,
  stack: AsyncDisposableStack,
  brandCache: Context['brands'],
  accounts: Context['accounts'],
): Context {
  const store = createStore(transport, { fieldManager: MANAGER })
  const operatorMetrics = createOperatorMetrics(metrics)
  const https = stack.use(createHttpsJson(config.appStoreCaPem))
  const appStores = new AppStores({
    url: config.appStoreUrl,
    https,
    store,
    accounts,
    clock: systemClock,
    metrics: operatorMetrics.apple,
  })
  const events = stack.use(
    createEventRecorder({
      store,
      controller: CONTROLLER,
      instance: identity,
      clock: systemClock,
      scheduler: systemScheduler,
      metrics: kernelMetrics,
      logger,
    }),
  )
  return {
    namespace: config.namespace,
    clock: systemClock,
    logger,
    metrics: operatorMetrics,
    store,
    storeOf: (brand) => createStore(transport, { fieldManager: `${MANAGER}/${brand}` }),
    status: createStatusWriter(store, kernelMetrics),
    events,
    brands: brandCache,
    accounts,
    appStores,
    failedWith: new FailedWith(),
    googleVerdicts: new GoogleVerdicts(systemClock),
    googleHosts: config.google,
    googleHttps: stack.use(createHttpsJson(config.googleCaPem)),
    wwdrPems: config.wwdrPems,
    enrollment: openEnrollment(config, stack),
    shardPrefix: config.shardPrefix,
    ingress: config.ingress,
    pace: config.pace,
  }
}

function openEnrollment(config: OperatorConfig, stack: AsyncDisposableStack): Context['enrollment'] {
  const { enrollmentAddress: address, apiKey, platform } = config
  return address === undefined
    ? undefined
    : stack.use(createClient(EnrollmentServiceService, { address, apiKey, platform }))
}

function brandsOf(account: AppleAccount, cache: Context['brands']): readonly string[] {
  const { name } = account.metadata
  return cache
    .list()
    .filter(({ spec }) => spec.apple.accountRef?.name === name)
    .map(keyOf)
}

function brandOf({ metadata }: SecretObject): readonly string[] {
  const brand = metadata.labels?.[brandLabel]
  return brand === undefined ? [] : [`${metadata.namespace ?? ''}/${brand}`]
}
