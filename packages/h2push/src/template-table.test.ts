import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from './hpack/testing/random.ts'
import { FrameType, Setting } from './protocol/constants.ts'
import type { RequestTemplate } from './request/template.ts'
import { ClientJudge } from './testing/client-judge.ts'
import { settingsFrame, windowUpdateFrame } from './testing/frame-writer.ts'
import type { JudgedRequest } from './testing/judged-streams.ts'
import { plainAnswer } from './testing/opened.ts'
import { pushBlock, pushPath, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

/** A session before a server that reads each request strictly and answers it at once. */
class Reader {
  readonly rig = new SessionRig()
  readonly judge: ClientJudge
  readonly requests: JudgedRequest[] = []
  #out: Buffer[] = []

  constructor() {
    this.judge = new ClientJudge({
      onOpen: (request) => this.requests.push(request),
      onEnd: ({ id }) => this.#answer(id),
      onReset: () => undefined,
      onSettings: () => undefined,
      onPing: () => undefined,
      onGoaway: () => undefined,
    })
    this.settings([])
  }

  settings(entries: readonly (readonly [id: number, value: number])[]): void {
    this.judge.sentSettings(entries)
    this.rig.feed(settingsFrame(entries))
    this.exchange()
  }

  /** Lets both sides talk until nothing moves; the requests must be right. */
  exchange(): void {
    for (let bytes = this.rig.take(); bytes.length > 0; bytes = this.rig.take()) {
      this.judge.receive(bytes)
      const out = Buffer.concat(this.#out)
      this.#out = []
      this.rig.feed(out)
    }
    assert.deepEqual(this.judge.violations, [])
    assert.equal(this.rig.error, undefined)
  }

  /** Sends a block of a template and looks at the headers of each of its requests. */
  send(template: RequestTemplate, first: number, count: number): void {
    this.requests.length = 0
    const block = pushBlock(template, first, count)
    this.rig.submit(block)
    this.exchange()
    assert.equal(block.open, 0)
    this.requests.forEach(({ headers }, index) => {
      const pseudo = [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'localhost'],
        [':path', pushPath(block, index)],
      ]
      assert.deepEqual(headers, [...pseudo, ...template.headers])
    })
    assert.equal(this.requests.length, count)
  }

  #answer(id: number): void {
    this.#out.push(plainAnswer(id), windowUpdateFrame(0, 100))
    this.judge.streams.answered(id)
    this.judge.streams.granted(0, 100)
  }
}

const short = pushTemplate()
const long = pushTemplate({ headers: [['x-long', 'v'.repeat(3_900)]] })

function tokenTemplate(token: string): RequestTemplate {
  return pushTemplate({ headers: [['authorization', `bearer ${token}`]] })
}

test('prepared requests are right with every table size of the peer, 0 among them', () => {
  for (const size of [0, 1, 31, 64, 100, 200, 300, 1_000, 4_096, 65_536, 0xffff_ffff]) {
    const reader = new Reader()
    reader.settings([[Setting.headerTableSize, size]])
    reader.send(short, 0, 3)
    reader.send(long, 3, 3)
    reader.send(short, 6, 600)
  }
})

test('prepared requests stay right when the table shrinks, grows or is emptied by two settings at once', () => {
  const reader = new Reader()
  let first = 0
  const send = (): void => {
    reader.send(short, first, 5)
    reader.send(long, first + 5, 2)
    first += 7
  }
  send()
  for (const sizes of [[0], [4_096], [100], [300], [0, 4_096], [4_096, 0], [50, 0, 200], [4_096], [4_096]]) {
    reader.settings(sizes.map((size) => [Setting.headerTableSize, size]))
    send()
  }
})

test('prepared requests are short again once the peer has a table again', () => {
  const reader = new Reader()
  const lengthOf = (first: number): number => {
    reader.rig.submit(pushBlock(short, first, 3))
    const frames = reader.rig.takeFrames().filter(({ type }) => type === FrameType.headers)
    reader.rig.feed(Buffer.concat(frames.map(({ streamId }) => plainAnswer(streamId))))
    return frames.at(-1)?.payload.length ?? 0
  }
  const before = lengthOf(0)
  reader.rig.feed(settingsFrame([[Setting.headerTableSize, 0]]))
  const without = lengthOf(3)
  // The lowest of them counts as well.
  const back = [0, 4_096].map((size) => [Setting.headerTableSize, size] as const)
  reader.rig.feed(settingsFrame(back))
  lengthOf(6)
  assert.deepEqual([lengthOf(9), without > before + 50], [before, true])
})

test('a new token is a new template: the old one stays right beside it', () => {
  const reader = new Reader()
  const templates = Array.from({ length: 60 }, (_, number) => tokenTemplate(`${number}`.repeat(20)))
  templates.forEach((template, number) => {
    reader.send(template, number * 10, 5)
    const older = templates[Math.max(0, number - 1)] ?? template
    reader.send(older, number * 10 + 5, 3)
  })
  for (const template of templates) reader.send(template, 10_000, 2)
})

test('templates, single requests and table sizes in any order', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const random = new Random(seed)
  const reader = new Reader()
  const templates = [short, long, ...Array.from({ length: 40 }, (_, number) => tokenTemplate(`t${number}`.repeat(30)))]
  try {
    for (let step = 0; step < 400; step += 1) {
      const kind = random.below(6)
      if (kind === 0) reader.settings([[Setting.headerTableSize, random.of([0, 60, 200, 600, 4_096, 9_000])]])
      else if (kind === 1) {
        const headers = [['x-single', 'v'.repeat(random.below(300))] as const]
        reader.rig.request(singleRequest(`/single/${step}`, Buffer.from('{}'), { headers }))
        reader.exchange()
      } else reader.send(random.of(templates), step * 100, 1 + random.below(20))
    }
  } catch (cause) {
    throw new Error(`failed with SEED=${seed}`, { cause })
  }
})
