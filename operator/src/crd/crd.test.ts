import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isKubeError, KubeError } from '../kernel/index.ts'
import { namespace, startCluster, type TestCluster } from '../testing/cluster.ts'
import { findKubePrograms } from '../testing/index.ts'
import { appleAccounts } from './apple-account.ts'
import { brands } from './brand.ts'

const skip = findKubePrograms() === undefined ? 'no kube-apiserver' : false
let cluster: TestCluster
let next = 0

before(async () => {
  if (skip === false) cluster = await startCluster()
})
after(() => cluster?.[Symbol.asyncDispose]())

function freshName(): string {
  next += 1
  return `brand-${next}`
}

type Fields = Readonly<Record<string, unknown>>

const apple: Fields = {
  passTypeIdentifier: 'pass.com.acme',
  teamId: 'DEMOTEAM01',
  accountRef: { name: 'demo' },
}
const google: Fields = { issuerId: '3388000000012345678', serviceAccountSecretRef: { name: 'google' } }
const good: Fields = { displayName: 'Acme', timeZone: 'Europe/London', currency: 'GBP', apple }

function brand(spec: Fields, name = freshName()): never {
  return {
    apiVersion: 'stampede.dev/v1alpha1',
    kind: 'Brand',
    metadata: { namespace, name },
    spec: { ...good, ...spec },
  } as never
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    assert.ok(error instanceof KubeError && isKubeError(error, 'invalid'), String(error))
    return error.message
  }
  return assert.fail('it was accepted')
}

const bad: readonly [name: string, spec: Fields, says: RegExp][] = [
  ['no name', { displayName: '' }, /displayName/],
  ['a long name', { displayName: 'x'.repeat(61) }, /displayName/],
  ['a time zone with spaces', { timeZone: 'Europe London' }, /timeZone/],
  ['a currency of two letters', { currency: 'EU' }, /currency/],
  ['no weight', { weight: 0 }, /weight/],
  ['a weight above 100', { weight: 101 }, /weight/],
  ['a negative ceiling', { maxBulkPerSecond: -1 }, /maxBulkPerSecond/],
  ['a long contact', { contact: 'x'.repeat(201) }, /contact/],
  ['a URL for a domain', { domain: 'https://cards.example' }, /domain/],
  ['a domain in capitals', { domain: 'Cards.example' }, /domain/],
  ['an unknown field', { colour: 'red' }, /unknown field/],
  ['an unknown policy', { deletionPolicy: 'Delete' }, /deletionPolicy/],
  ['Revoke without confirmation', { deletionPolicy: 'Revoke' }, /confirmRevocation must repeat/],
  ['Revoke confirmed for another', { deletionPolicy: 'Revoke', confirmRevocation: 'pass.b' }, /must repeat/],
  ['a confirmation without Revoke', { confirmRevocation: 'pass.com.acme' }, /belongs to deletionPolicy Revoke/],
  ['a pass type id without pass.', { apple: { ...apple, passTypeIdentifier: 'com.acme' } }, /passTypeIdentifier/],
  ['a short team', { apple: { ...apple, teamId: 'TEAM' } }, /teamId/],
  ['mode Api without account', { apple: { ...apple, accountRef: undefined } }, /accountRef is required in mode Api/],
  ['mode Manual with account', { apple: { ...apple, mode: 'Manual' } }, /not allowed in mode Manual/],
  ['a handed-in certificate in mode Api', { apple: { ...apple, certificateSecretRef: { name: 'x' } } }, /mode Manual/],
  ['renewal a day too late', { apple: { ...apple, renewBefore: '23h' } }, /between 24h and 4320h/],
  ['renewal too early', { apple: { ...apple, renewBefore: '4321h' } }, /between 24h and 4320h/],
  ['renewal in days', { apple: { ...apple, renewBefore: '30d' } }, /renewBefore/],
  ['an unknown certificate type', { apple: { ...apple, certificateType: 'Nfc' } }, /certificateType/],
  ['an issuer with letters', { google: { ...google, issuerId: 'abc' } }, /issuerId/],
  ['Google without account', { google: { issuerId: '1' } }, /serviceAccountSecretRef/],
]
for (const [name, spec, says] of bad) {
  test(`a Brand with ${name} is refused`, { skip }, async () => {
    assert.match(await refusal(cluster.admin.create(brands, brand(spec))), says)
  })
}

test('a Brand with a name that is no slug is refused', { skip }, async () => {
  assert.match(await refusal(cluster.admin.create(brands, brand({}, 'a.b'))), /brand's slug/)
  assert.match(await refusal(cluster.admin.create(brands, brand({}, 'a'.repeat(41)))), /brand's slug/)
})

test('a good Brand gets its defaults', { skip }, async () => {
  const { spec } = await cluster.admin.create(brands, brand({ google }))
  assert.deepEqual([spec.weight, spec.maxBulkPerSecond, spec.contact, spec.deletionPolicy], [10, 0, '', 'Retain'])
  assert.deepEqual([spec.apple.certificateType, spec.apple.mode], ['PassTypeId', 'Api'])
  assert.equal(spec.google?.serviceAccountSecretRef.key, 'key.json')
})

const fixed: readonly [name: string, spec: Fields, says: RegExp][] = [
  ['another pass type id', { apple: { passTypeIdentifier: 'pass.com.other' } }, /passTypeIdentifier never changes/],
  ['another team', { apple: { teamId: 'OTHERTEAM1' } }, /teamId never changes/],
  ['another currency', { currency: 'EUR' }, /currency never changes/],
  ['another issuer', { google: { issuerId: '1' } }, /issuerId never changes/],
  ['no Google any more', { google: null }, /google cannot be taken away/],
]
for (const [name, spec, says] of fixed) {
  test(`a Brand cannot get ${name}`, { skip }, async () => {
    const { metadata } = await cluster.admin.create(brands, brand({ google }))
    const patched = cluster.admin.patch(brands, { namespace, name: metadata.name }, { spec })
    assert.match(await refusal(patched), says)
  })
}

test('a Brand may change everything else, also from Retain to Revoke with its confirmation', { skip }, async () => {
  const { metadata } = await cluster.admin.create(brands, brand({}))
  const spec = {
    displayName: 'New',
    weight: 20,
    domain: 'cards.acme.example',
    google,
    deletionPolicy: 'Revoke',
    confirmRevocation: 'pass.com.acme',
    apple: { certificateType: 'PassTypeIdWithNfc', renewBefore: '720h' },
  }
  const changed = await cluster.admin.patch(brands, { namespace, name: metadata.name }, { spec })
  assert.equal(changed.metadata.generation, 2)
})

test('an AppleAccount keeps its team, and its key is a reference', { skip }, async () => {
  const spec = {
    teamId: 'DEMOTEAM01',
    issuerId: '57246542-96fe-1a63-e053-0824d011072a',
    keyId: '2X9R4HXF34',
    privateKeySecretRef: { name: 'key' },
  }
  const account = (change: Fields) =>
    ({
      apiVersion: 'stampede.dev/v1alpha1',
      kind: 'AppleAccount',
      metadata: { namespace, name: freshName() },
      spec: { ...spec, ...change },
    }) as never
  const made = await cluster.admin.create(appleAccounts, account({}))
  assert.equal(made.spec.privateKeySecretRef.key, 'AuthKey.p8')
  for (const change of [
    { issuerId: 'x' },
    { keyId: 'a b' },
    { teamId: 'x' },
    { privateKeySecretRef: {} },
    { key: 'x' },
  ])
    await refusal(cluster.admin.create(appleAccounts, account(change)))
  const { name } = made.metadata
  const moved = cluster.admin.patch(appleAccounts, { namespace, name }, { spec: { teamId: 'OTHERTEAM1' } })
  assert.match(await refusal(moved), /teamId never changes/)
})
