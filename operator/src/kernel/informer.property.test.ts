import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { until } from '@stampede/platform/testing'
import fc from 'fast-check'
import { type FakeApi, startFakeApi } from '../testing/fake-api.ts'
import { followSecrets } from '../testing/follower.ts'

const collection = '/api/v1/namespaces/default/secrets'
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), name, data: fc.base64String({ maxLength: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 50 }) }) },
  fc.record({
    do: fc.constant('fail' as const),
    status: fc.constantFrom(-1, 410, 429, 500, 503),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ do: fc.constantFrom('expire', 'compact', 'stall', 'close', 'cut', 'garbage', 'bookmark', 'restart') }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

async function take(api: FakeApi, one: Step): Promise<void> {
  const path = 'name' in one ? `${collection}/${one.name}` : ''
  const known = api.objects.list(collection).find(({ metadata }) => path.endsWith(`/${metadata.name}`))
  if (one.do === 'put' && 'data' in one) {
    const data = { a: one.data }
    if (known !== undefined) api.objects.update(path, { ...known, data }, '')
    else api.objects.create(collection, { apiVersion: 'v1', kind: 'Secret', metadata: { name: one.name }, data })
  }
  if (one.do === 'delete' && known !== undefined) api.objects.delete(path)
  if (one.do === 'wait' && 'turns' in one) for (let turn = 0; turn < one.turns; turn += 1) await nextTurn()
  if (one.do === 'fail' && 'status' in one) api.fail({ status: one.status, times: one.times })
  if (one.do === 'expire') api.watches.expire()
  if (one.do === 'compact') api.objects.compact()
  if (one.do === 'stall') api.watches.stall()
  if (one.do === 'close' || one.do === 'cut') api.watches.end(one.do)
  if (one.do === 'garbage') api.watches.raw('{"type":"ADD')
  if (one.do === 'bookmark') api.watches.bookmark()
  if (one.do === 'restart') {
    await api.kill()
    await api.revive()
  }
}

function versions(
  objects: readonly { readonly metadata: { readonly name: string; readonly resourceVersion?: string } }[],
): string {
  return objects
    .map(({ metadata }) => `default/${metadata.name}=${metadata.resourceVersion}`)
    .sort()
    .join()
}

async function play(steps: readonly Step[]): Promise<void> {
  await using api = await startFakeApi()
  const timings = { silenceMs: 100, backoff: { firstMs: 2, capMs: 20 } }
  await using follower = followSecrets(() => api.config, timings)
  for (const one of steps) await take(api, one)
  await until('the cache, and who believed its changes, have what the server has', () => {
    const wanted = versions(api.objects.list(collection))
    const believed = [...follower.believed]
      .map(([key, version]) => `${key}=${version}`)
      .sort()
      .join()
    return versions(follower.informer.list()) === wanted && believed === wanted
  })
}

test('whatever fails in whatever order: the cache ends up with what the server has', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), play), { numRuns: 40 })
})
