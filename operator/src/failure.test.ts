import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type NodeProcess, startNode, type TempDir, tempDir, until } from '@stampede/platform/testing'
import { type Brand, brands } from './crd/brand.ts'
import { leases } from './kernel/index.ts'
import { namespace } from './testing/cluster.ts'
import { findKubePrograms } from './testing/index.ts'
import { type OperatorRig, startOperatorRig } from './testing/operator-rig.ts'
import { type PassingRequest, startTripwire, type Trip, type TripPhase, type Tripwire } from './testing/tripwire.ts'

const skip = findKubePrograms() === undefined ? 'no kube-apiserver' : false
const BRANDS = process.env['STAMPEDE_FULL'] === '1' ? 500 : 60
/** A brand takes some half a second of CPU with everything around it on this side, most of it its RSA key. */
const MANY_MS = 120_000 + 1_000 * BRANDS
const KILLS_MAX = 40
const POLL_MS = 500
/** Other suites may have the machine to themselves, nearly. */
const READY_MS = 60_000
let rig: OperatorRig
let kubeWire: Tripwire
let appleWire: Tripwire
let env: Record<string, string>
let cache: TempDir

before(async () => {
  if (skip !== false) return
  rig = await startOperatorRig()
  const { authority, appStorePort } = rig.sandbox
  const identity = authority.issueServerCertificate(['localhost', '127.0.0.1'])
  const through = await rig.throughWire()
  kubeWire = through.wire
  const target = `https://localhost:${appStorePort}`
  appleWire = await startTripwire({ target, targetCaPem: authority.webRootPem, ...identity })
  cache = tempDir('compile-cache')
  env = rig.env({
    // Tens of processes start: the second and later ones find their modules compiled.
    NODE_COMPILE_CACHE: cache.path,
    // Says why, when one ends without having been killed.
    STAMPEDE_LOG_LEVEL: 'error',
    ...through.env,
    STAMPEDE_APPSTORE_URL: appleWire.url,
  })
})
after(async () => {
  await appleWire?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
  cache?.[Symbol.dispose]()
})

function startOperator(extra: Readonly<Record<string, string>> = {}): Promise<NodeProcess<true>> {
  const readyLine = (line: string): true | undefined => (line.endsWith('ready') ? true : undefined)
  return startNode({ script: new URL('./main.ts', import.meta.url), env: { ...env, ...extra }, readyLine })
}

/** The dead one's lease would hold the next one up until it expires, which the kernel's own tests wait for. */
async function dropLease(): Promise<void> {
  await rig.cluster.admin.delete(leases, { namespace, name: 'stampede-operator' })
}

function assertOnce(name: string): void {
  assert.deepEqual(rig.counts(name), { certificates: 1, keys: 1, revocations: 0, deletions: 0 }, name)
}

/** A short name for what a request does, so that one sees which steps were hit. */
function labelOf({ method, path, body }: PassingRequest, name: string): string {
  const [bare = ''] = path.split('?')
  const what = bare
    .replace(/^.*\/namespaces\/[^/]+\//, '')
    .replace(name, 'BRAND')
    .replace(/^\/v1\/passTypeIds\/\w+/, '/v1/passTypeIds/ID')
    .replace(/stampede-credentials-\d\d/, 'SHARD')
  const detail = body.includes('"requested-at') || body.includes('/requested-at') ? ' requested' : ''
  return `${method} ${what}${body.includes('certificate.pem') ? ' certificate' : detail}`
}

/** What a brand's way to its certificate consists of: writes to Kubernetes, and every call to Apple. */
const everyStep = [
  'GET /v1/passTypeIds',
  'GET /v1/passTypeIds/ID/certificates',
  'PATCH brands/BRAND',
  'PATCH brands/BRAND/status',
  'PATCH secrets/BRAND-apple-1 certificate',
  'PATCH secrets/BRAND-apple-1 requested',
  'PATCH secrets/SHARD',
  'POST /v1/certificates',
  'POST /v1/passTypeIds',
  'POST secrets',
]

function countsFor(name: string): (request: PassingRequest) => boolean {
  return ({ method, path, body }) => {
    if (path.startsWith('/v1/')) return !path.includes('pass.stampede.dev.none')
    if (method === 'GET' || /\/(leases|events)\b/.test(path)) return false
    return path.includes(name) || body.includes(name)
  }
}

/** Applies a Brand and kills the operator at the `at`th request of its way; the label of that, or undefined. */
async function killAt(
  operator: NodeProcess<true>,
  name: string,
  at: number,
  phase: TripPhase,
): Promise<string | undefined> {
  let [seen, label]: [number, string | undefined] = [0, undefined]
  const killed = Promise.withResolvers<void>()
  const trip: Trip = {
    counts: countsFor(name),
    isIt: () => {
      seen += 1
      return seen === at
    },
    phase,
    onTrip: async (request) => {
      label = labelOf(request, name)
      await operator.end('SIGKILL')
      killed.resolve()
    },
  }
  for (const wire of [kubeWire, appleWire]) wire.lay(trip)
  await rig.applyBrand(name)
  const ready = rig.ready(name, READY_MS)
  await Promise.race([killed.promise, ready])
  for (const wire of [kubeWire, appleWire]) wire.lay(undefined)
  ready.catch(() => undefined)
  // Killed after the last write, it is ready all the same.
  if (label !== undefined) await killed.promise
  return label
}

for (const phase of ['before', 'after'] as const) {
  test(`killed ${phase} each request of issuing in turn, it makes one certificate and revokes none`, {
    skip,
  }, async () => {
    const hit = new Set<string>()
    const names: string[] = []
    let operator = await startOperator()
    try {
      for (let at = 1; ; at += 1) {
        assert.ok(at <= KILLS_MAX, 'issuing does not end')
        const name = `kill-${phase}-${at}`
        names.push(name)
        const label = await killAt(operator, name, at, phase)
        if (label === undefined) break
        hit.add(label)
        await dropLease()
        operator = await startOperator()
        await rig.ready(name, READY_MS)
        assertOnce(name)
      }
    } finally {
      await operator.end('SIGKILL')
      await dropLease()
    }
    assert.deepEqual([...hit].toSorted(), everyStep)
    for (const name of names) assertOnce(name)
  })
}

test('killed while the request is under way, the next life waits for that certificate and finds it', {
  skip,
}, async () => {
  const first = await startOperator()
  const [killed, arrive] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  appleWire.lay({
    counts: ({ method, path }) => method === 'POST' && path === '/v1/certificates',
    isIt: () => true,
    phase: 'meanwhile',
    onTrip: async () => {
      await first.end('SIGKILL')
      killed.resolve()
      await arrive.promise
    },
  })
  await rig.applyBrand('meanwhile')
  await killed.promise
  await dropLease()
  await using _second = await startOperator({ STAMPEDE_OPERATOR_SETTLE_SECONDS: '300' })
  await rig.condition('meanwhile', 'Issuing', ({ reason }) => reason === 'AwaitingAnswer', READY_MS)
  assert.equal(rig.counts('meanwhile'), undefined, 'it has been asked for again')
  arrive.resolve()
  await rig.ready('meanwhile', READY_MS)
  assertOnce('meanwhile')
})

test(`${BRANDS} brands, the leader killed among them: each has one certificate and none is revoked`, {
  skip,
}, async () => {
  await dropLease()
  await using leader = await startOperator()
  await until('it leads', async () => (await holder()) !== '')
  await using _follower = await startOperator()
  const names = Array.from({ length: BRANDS }, (_, at) => `many-${at}`)
  await Promise.all(names.map((name) => rig.applyBrand(name)))
  const isReady = ({ metadata, status }: Brand): boolean =>
    metadata.name.startsWith('many-') &&
    (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True')
  const ready = async (): Promise<number> => {
    // The API server has better things to do than to be asked all the time.
    await sleep(POLL_MS)
    return (await rig.cluster.admin.list(brands, { namespace })).items.filter(isReady).length
  }
  await until('a third is ready', async () => (await ready()) >= BRANDS / 3, MANY_MS)
  const before = await holder()
  await leader.end('SIGKILL')
  await dropLease()
  await until('all are ready', async () => (await ready()) === BRANDS, MANY_MS)
  assert.notEqual(await holder(), before)
  for (const name of names) assertOnce(name)
})

async function holder(): Promise<string> {
  const lease = await rig.cluster.admin.get(leases, { namespace, name: 'stampede-operator' })
  return lease?.spec?.holderIdentity ?? ''
}
