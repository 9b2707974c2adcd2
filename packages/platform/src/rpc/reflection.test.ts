import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { credentials, Client as GrpcClient } from '@grpc/grpc-js'
import { startFixture } from './fixture.ts'

const PATH = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
/** Field numbers of ServerReflectionRequest and -Response. */
const FILE_CONTAINING_SYMBOL = 4
const LIST_SERVICES = 7
const FILE_DESCRIPTORS = 4
const SERVICES = 6

function ask(address: string, field: number, value: string): Promise<Map<number, Uint8Array>> {
  const client = new GrpcClient(address, credentials.createInsecure())
  const request = (): Buffer =>
    Buffer.from(
      new BinaryWriter()
        .uint32((field << 3) | 2)
        .string(value)
        .finish(),
    )
  const call = client.makeBidiStreamRequest(PATH, request, (bytes) => bytes, {})
  return new Promise((resolve, reject) => {
    call.on('error', reject)
    call.once('data', (bytes: Buffer) => {
      call.end()
      client.close()
      resolve(fieldsOf(bytes))
    })
    call.write({})
  })
}

/** Fields of a message that have a length, by number. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const reader = new BinaryReader(bytes)
  const fields = new Map<number, Uint8Array>()
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (type === 2) fields.set(number, reader.bytes())
    else reader.skip(type, number)
  }
  return fields
}

describe('reflection', () => {
  it('lists the services that are served, and no others', async () => {
    await using fixture = await startFixture()
    const answer = await ask(fixture.address, LIST_SERVICES, '')
    const list = Buffer.from(answer.get(SERVICES) ?? []).toString('latin1')
    for (const name of ['geo.v1.GeoService', 'campaigns.v1.CampaignsService', 'enrollment.v1.EnrollmentService'])
      assert.ok(list.includes(`stampede.${name}`), name)
    assert.ok(!list.includes('LedgerService'))
  })

  it('hands out the file of a service', async () => {
    await using fixture = await startFixture()
    const answer = await ask(fixture.address, FILE_CONTAINING_SYMBOL, 'stampede.geo.v1.GeoService')
    const file = Buffer.from(answer.get(FILE_DESCRIPTORS) ?? []).toString('latin1')
    assert.ok(file.includes('FindNearest'))
  })
})
