import assert from 'node:assert/strict'
import type { Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { HpackDecoder } from './decoder.ts'
import { HpackEncoder, type IndexMode } from './encoder.ts'
import { HpackError } from './errors.ts'
import { BlockGenerator, type GeneratedBlock } from './testing/blocks.ts'
import { decodeBlock, encodeBlock, type Header } from './testing/headers.ts'
import { listen, NodeSession } from './testing/node-session.ts'
import { mutated, type Random, withRandom } from './testing/random.ts'

/** How many times as long it runs when a full run is asked for. */
const scale = process.env['STAMPEDE_FULL'] === '1' ? 20 : 1
const BLOCKS_PER_SESSION = 12
const tableSizes = [0, 31, 100, 500, 4_096, 16_384]

describe('beside nghttp2, in node:http2', () => {
  let server: Server

  before(async () => {
    server = await listen()
  })
  after(() => server.close())

  it('the decoder reads the same from any legal blocks', () =>
    withRandom(async (random) => {
      for (let sessions = 8 * scale; sessions > 0; sessions -= 1) {
        const generator = new BlockGenerator(random)
        await agreeOnLegal(server, random, {
          next: () => generator.next(),
          setTableBytesMax: (bytes) => generator.setTableBytesMax(bytes),
        })
      }
    }))

  it('it reads the same from the blocks of the encoder', () =>
    withRandom(async (random) => {
      for (let sessions = 4 * scale; sessions > 0; sessions -= 1) {
        const encoder = new HpackEncoder()
        const generator = new BlockGenerator(random)
        await agreeOnLegal(server, random, {
          next: () => {
            const { headers } = generator.next()
            const moded = headers.map(
              ([name, value]) => [name, value, random.of<IndexMode>(['index', 'index', 'literal', 'never'])] as const,
            )
            return { headers, block: encodeBlock(encoder, moded) }
          },
          setTableBytesMax: (bytes) => encoder.setPeerTableBytesMax(bytes),
        })
      }
    }))

  it('the decoder accepts and refuses the same of damaged blocks', () =>
    withRandom(async (random) => {
      let refused = 0
      let accepted = 0
      for (let sessions = 1_500 * scale; sessions > 0; sessions -= 1) {
        const blocks = await agreeOnDamaged(server, random)
        accepted += blocks
        if (blocks < BLOCKS_PER_SESSION) refused += 1
      }
      assert.ok(refused > 500 * scale && accepted > 2_000 * scale, `${refused} refused, ${accepted} accepted`)
    }))
})

interface Source {
  next(): GeneratedBlock
  setTableBytesMax(bytes: number): void
}

/** One session of several table sizes: node, the decoder and the generator must agree on every header. */
async function agreeOnLegal(server: Server, random: Random, source: Source): Promise<void> {
  const [first, ...later] = Array.from({ length: 5 }, () => random.of(tableSizes))
  using session = await NodeSession.open(server, first ?? 0)
  const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
  decoder.setTableBytesMax(first ?? 0)
  source.setTableBytesMax(first ?? 0)
  for (const bytes of [undefined, ...later]) {
    if (bytes !== undefined) {
      await session.setTableBytesMax(bytes)
      decoder.setTableBytesMax(bytes)
      source.setTableBytesMax(bytes)
    }
    const generated = Array.from({ length: 60 }, () => source.next())
    const expected = generated.map(({ headers }) => headers)
    assert.deepEqual(
      generated.map(({ block }) => decodeBlock(decoder, block)),
      expected,
    )
    assert.deepEqual(await session.decode(generated.map(({ block }) => block)), expected)
  }
}

/** One session up to the first block that is refused, or twelve; returns how many were accepted. */
async function agreeOnDamaged(server: Server, random: Random): Promise<number> {
  const tableBytesMax = random.of(tableSizes)
  using session = await NodeSession.open(server, tableBytesMax)
  const [decoder, generator] = [new HpackDecoder({ tableBytesMax: 4_096 }), new BlockGenerator(random)]
  decoder.setTableBytesMax(tableBytesMax)
  generator.setTableBytesMax(tableBytesMax)
  let accepted = 0
  for (; accepted < BLOCKS_PER_SESSION; accepted += 1) {
    const { block } = generator.next()
    // Not the first: it holds the size update that is due, on which the decoder does not insist.
    const sent = accepted > 0 && random.once(2) ? mutated(random, block) : block
    const ours = decodedOrRefused(decoder, sent)
    const theirs = await session.decode([sent])
    assert.equal(
      ours === undefined,
      theirs === undefined,
      `accepted by one side only: ${Buffer.from(sent).toString('hex')}`,
    )
    if (theirs === undefined) break
    assert.ok(isPart(theirs[0] ?? [], ours ?? []), `other headers: ${Buffer.from(sent).toString('hex')}`)
  }
  return accepted
}

function decodedOrRefused(decoder: HpackDecoder, block: Uint8Array): readonly Header[] | undefined {
  try {
    return decodeBlock(decoder, block)
  } catch (error) {
    assert.ok(error instanceof HpackError)
    return undefined
  }
}

/** Whether the first list is the second one without some of its headers. */
function isPart(part: readonly Header[], whole: readonly Header[]): boolean {
  let found = 0
  for (const [name, value] of whole) {
    const wanted = part[found]
    if (wanted !== undefined && wanted[0] === name && wanted[1] === value) found += 1
  }
  return found === part.length
}
