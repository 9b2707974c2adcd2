import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CampaignsServiceService } from '@stampede/proto/campaigns/v1'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { GeoServiceService } from '@stampede/proto/geo/v1'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import type { BoundMethod, RpcService } from './binding.ts'
import { methodInfo } from './descriptors.ts'
import { startFixture } from './fixture.ts'
import { buildOpenApi } from './openapi.ts'

function documentOf(service: RpcService) {
  const methods = Object.values(service).map(({ path, requestDeserialize, responseSerialize }) => ({
    info: methodInfo(path),
    decodeRequest: requestDeserialize as BoundMethod['decodeRequest'],
    encodeResponse: responseSerialize as unknown as BoundMethod['encodeResponse'],
  }))
  return buildOpenApi('test', [{ service: 'test', methods }]) as unknown as OpenApi
}

interface Operation {
  readonly operationId: string
  readonly description: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Record<string, { readonly content: Record<string, unknown> }>
}

interface OpenApi {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, { properties: Record<string, unknown> }> }
}

/** Every `$ref` of a document. */
function refsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : refsIn(inner)))
}

describe('the OpenAPI document', () => {
  for (const service of [GeoServiceService, EnrollmentServiceService, LedgerServiceService, CampaignsServiceService]) {
    it(`is consistent for ${Object.values(service)[0]?.path.split('/')[1]}`, () => {
      const document = documentOf(service)
      assert.equal(document.openapi, '3.1.0')
      const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
      for (const ref of refsIn(document)) assert.ok(known.includes(ref), ref)
      const operations = Object.entries(document.paths).flatMap(([path, verbs]) =>
        Object.values(verbs).map((operation) => ({ path, operation })),
      )
      const ids = operations.map(({ operation }) => operation.operationId)
      assert.equal(new Set(ids).size, ids.length)
      // Streams of requests have no mapping to HTTP.
      const mapped = Object.values(service).filter(({ requestStream }) => !requestStream)
      assert.ok(ids.length >= mapped.length)
      for (const { path, operation } of operations) {
        const inPath = operation.parameters.filter((one) => one.in === 'path')
        assert.deepEqual(
          inPath.map(({ name, required }) => [`{${name}}`, required]).sort(),
          [...path.matchAll(/\{\w+\}/g)].map((found) => [found[0], true]).sort(),
        )
        assert.ok(operation.responses['200'] && operation.responses['default'])
      }
    })
  }

  it('carries the comments and permissions of the protos', () => {
    const { paths, components } = documentOf(GeoServiceService)
    const put = paths['/v1/brands/{brand}/stores']?.['put']
    assert.match(
      put?.description ?? '',
      /^Creates or replaces up to 1,000 stores\.\n\nPermission: `geo\.stores\.write`\.$/,
    )
    const latitude = components.schemas['stampede.geo.v1.Store']?.properties['latitude']
    assert.deepEqual(latitude, { type: 'number', description: 'Degrees, -90 to 90.' })
  })

  it('shows streams, 64-bit integers, maps and instants as they are on the wire', () => {
    const { paths, components } = documentOf(CampaignsServiceService)
    const watch = paths['/v1/brands/{brand}/campaigns/{campaign_id}:watch']?.['get']
    assert.ok(watch?.responses['200']?.content['application/x-ndjson'])
    const { failuresByReason, accepted } = components.schemas['stampede.campaigns.v1.Progress']?.properties ?? {}
    const integer = { type: 'string', format: 'int64', pattern: '^-?[0-9]+$' }
    assert.deepEqual(failuresByReason, { type: 'object', additionalProperties: integer })
    assert.deepEqual(accepted, integer)
    const createdAt = components.schemas['stampede.campaigns.v1.Campaign']?.properties['createdAt']
    assert.deepEqual(createdAt, { type: 'string', format: 'date-time' })
  })

  it('is served to everybody', async () => {
    await using fixture = await startFixture()
    const answer = await fetch(`${fixture.base}/openapi.json`)
    const document = (await answer.json()) as OpenApi
    assert.ok(document.paths['/v1/brands/{brand}/stores:nearest'])
  })
})
