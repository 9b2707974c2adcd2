import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { freePort } from '@stampede/platform'
import { drawBarcode } from './barcode.ts'
import { createKnowledge, createPageData, type PageData } from './data.ts'
import { type RunningPage, startPage } from './server.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const data: PageData = {
  setup: () => ({ key: 'sk_test' }),
  story: () => ({ isTold: false }),
  cards: (search) => [{ reference: search }],
  phone: async (serial) => {
    if (serial === 'broken') throw new Error('the sandbox is away')
    return serial === 'known' ? { serial } : undefined
  },
}

describe('the page’s server', () => {
  let page: RunningPage
  before(async () => {
    page = await startPage({ port: await freePort(), data })
  })
  after(() => page[Symbol.asyncDispose]())

  const ask = (path: string, options: { method?: string; host?: string } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method = 'GET', host } = options
      const headers = host === undefined ? {} : { host }
      const asked = request(new URL(page.url), { path, method, headers, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const { statusCode = 0, headers } = response
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() })
        })
      })
      asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer in time`)))
      asked.on('error', reject)
      asked.end()
    })

  it('answers to names of this machine only', async () => {
    const { port } = new URL(page.url)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost', `[::1]:${port}`])
      assert.equal((await ask('/data/setup', { host })).status, 200, host)
    for (const host of ['stampede.example', `127.0.0.1.evil.example:${port}`, 'localhost.evil.example', '10.0.0.1']) {
      const { status, body } = await ask('/data/setup', { host })
      assert.equal(status, 421, host)
      assert.doesNotMatch(body, /sk_test/)
    }
  })

  it('gives no other origin leave to read the key', async () => {
    const { headers } = await ask('/data/setup')
    assert.equal(headers['access-control-allow-origin'], undefined)
    assert.equal(headers['cache-control'], 'no-store')
  })

  it('only reads', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      assert.equal((await ask('/data/setup', { method })).status, 405, method)
    const { status, body } = await ask('/', { method: 'HEAD' })
    assert.deepEqual([status, body], [200, ''])
  })

  it('knows its own paths and no others', async () => {
    for (const path of [
      '/nothing',
      '/data',
      '/data/phones/',
      '/data/phones/a%2fb',
      '/../server.ts',
      '/%2e%2e/server.ts',
    ])
      assert.equal((await ask(path)).status, 404, path)
    assert.equal((await ask(`/${'x'.repeat(3_000)}`)).status, 414)
  })

  it('serves every file of the page, and the page asks for no other', async () => {
    const folder = new URL('./static/', import.meta.url)
    for (const name of await readdir(folder)) {
      assert.equal((await ask(`/${name}`)).status, 200, name)
      const text = await readFile(new URL(name, folder), 'utf8')
      for (const [, asked = ''] of text.matchAll(/(?:from '\.\/|src="|href=")([\w.-]+)['"]/g))
        assert.equal((await ask(`/${asked}`)).status, 200, `${name} asks for ${asked}`)
    }
  })

  it('finds cards and phones, and says when there is none', async () => {
    assert.deepEqual(JSON.parse((await ask('/data/cards?search=crm%201')).body), [{ reference: 'crm 1' }])
    assert.deepEqual(JSON.parse((await ask('/data/phones/known')).body), { serial: 'known' })
    assert.equal((await ask('/data/phones/unknown')).status, 404)
  })

  it('stays up when the sandbox is away', async () => {
    const { status, body } = await ask('/data/phones/broken')
    assert.equal(status, 502)
    assert.match(body, /sandbox is away/)
    assert.equal((await ask('/')).status, 200)
  })

  it('draws barcodes and refuses what is none', async () => {
    const { status, headers, body } = await ask('/barcode.svg?format=code128&text=9999596782329107')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'image/svg+xml')
    assert.match(body, /^<svg/)
    for (const query of ['', '?format=ean13&text=1', '?format=qr&text=', `?format=qr&text=${'x'.repeat(201)}`])
      assert.equal((await ask(`/barcode.svg${query}`)).status, 400, query)
  })
})

describe('barcodes', () => {
  it('are drawn in each format that a pass may carry', () => {
    const drawn = ['qr', 'code128', 'pdf417', 'aztec'].map((format) => drawBarcode(format, '9999596782329107'))
    for (const svg of drawn) assert.match(svg ?? '', /^<svg/)
    assert.equal(new Set(drawn).size, drawn.length)
  })

  it('are not drawn of an unknown format, of nothing, or of too much', () => {
    assert.equal(drawBarcode('toString', '1'), undefined)
    assert.equal(drawBarcode('qr', ''), undefined)
    assert.equal(drawBarcode('qr', 'x'.repeat(201)), undefined)
    assert.notEqual(drawBarcode('qr', 'x'.repeat(200)), undefined)
  })
})

describe('what the page knows', () => {
  const member = (no: number) => ({ reference: `crm-${no}`, memberId: `m${no}`, cardNumber: `99990${no}` })
  const dataOf = (knowledge: Parameters<typeof createPageData>[1]): PageData =>
    createPageData({ brand: 'demo', platform: { ports: {} }, options: {} } as never, knowledge)

  it('before the story began is where it stands', () => {
    assert.deepEqual(dataOf(createKnowledge()).story(), {
      chapter: 'creating the brand',
      isTold: false,
      campaignId: undefined,
      losses: undefined,
      duplicates: undefined,
      pushesPerSecond: undefined,
      latencies: [],
    })
  })

  it('of cards is found by number and by reference, at most 50, only with a pass', () => {
    const all = Array.from({ length: 80 }, (_, no) => member(no))
    const passes = all
      .filter((_, no) => no !== 7)
      .map(({ memberId }) => [memberId, { serial: `s-${memberId}` }] as const)
    const knowledge = {
      members: new Map(all.map((one) => [one.reference, one])),
      passes: new Map(passes) as never,
      marketerKey: 'k',
    }
    const found = dataOf(knowledge)
    assert.deepEqual(found.cards(' CRM-79 '), [{ ...member(79), serial: 's-m79' }])
    assert.deepEqual(found.cards('9999042'), [{ ...member(42), serial: 's-m42' }])
    assert.deepEqual(found.cards('crm-7777'), [])
    assert.equal((found.cards('') as unknown[]).length, 50)
    assert.doesNotMatch(JSON.stringify(found.cards('crm-7')), /"m7"/)
  })
})
