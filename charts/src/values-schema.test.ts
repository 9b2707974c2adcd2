import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { valuesSchema } from './values-schema.ts'

const chart = join(import.meta.dirname, '..', 'stampede')
const text = readFileSync(join(chart, 'values.yaml'), 'utf8')

test('the schema that is kept is the one that values.yaml gives; npm run write -w charts writes it', () => {
  assert.deepEqual(JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')), valuesSchema(text))
})

test('every key of values.yaml is allowed, and every map that says nothing else is closed', () => {
  const validate = new Ajv({ strict: false }).compile(valuesSchema(text))
  assert.ok(validate(parse(text)), JSON.stringify(validate.errors))
  assert.equal(validate({ ledgr: {} }), false)
  assert.equal(validate({ postgres: { cluster: { storage: { sise: '1Gi' } } } }), false)
})

const small = `
# Of all.
# @schema {enum: [a, b]}
mode: a

# Common.
defaults:
  # @schema {minimum: 0}
  replicas: 2
  hpa:
    enabled: false

# One.
# @workload
ledger:
  replicas: 3
  # Seconds.
  pause: 60

# @schema {additionalProperties: true}
free: {}
`

test('types come from defaults, descriptions from comments, rules from @schema', () => {
  const { properties } = valuesSchema(small) as { readonly properties: Record<string, object> }
  assert.deepEqual(properties['mode'], { description: 'Of all.', type: 'string', enum: ['a', 'b'] })
  assert.deepEqual(properties['free'], { type: 'object', additionalProperties: true })
})

test('a workload takes the common keys, whatever its own default for them is, and its own', () => {
  const validate = new Ajv({ strict: false }).compile(valuesSchema(small))
  const allows = (ledger: object): boolean => validate({ ledger })
  assert.ok(allows({ replicas: 0, hpa: { enabled: true }, pause: 1 }))
  assert.ok(!allows({ replicas: -1 }))
  assert.ok(!allows({ hpa: { enable: true } }))
  assert.ok(!allows({ pause: 'long' }))
  assert.ok(!allows({ pauses: 1 }))
})

test('a default that tells no type needs a rule', () => {
  assert.throws(
    () => valuesSchema('defaults: {}\nx: 2020-01-01T00:00:00Z\ny: !!binary aGk=\n'),
    /^Error: y: no default/,
  )
})
