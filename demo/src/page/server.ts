import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { drawBarcode } from './barcode.ts'
import type { PageData } from './data.ts'

/** A page that is served; disposing closes it. */
export interface RunningPage extends AsyncDisposable {
  readonly url: string
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const files = new Set([
  'index.html',
  'style.css',
  'phone.css',
  'app.js',
  'api.js',
  'svg.js',
  'charts.js',
  'segments.js',
  'card.js',
  'lock.js',
  'picker.js',
  'dashboard.js',
  'composer.js',
  'icon.svg',
])
const requestDeadlineMs = 30_000
const pathLengthMax = 2_048

/** Serves the page on 127.0.0.1. It answers only to names of this machine: a foreign site must not reach it by DNS. */
export async function startPage(options: { readonly port: number; readonly data: PageData }): Promise<RunningPage> {
  const { port, data } = options
  const server = createServer((request, response) => {
    respond(request, response, data).catch((error: unknown) => {
      send(
        response,
        502,
        'application/json',
        JSON.stringify({ error: error instanceof Error ? error.message : 'failed' }),
      )
    })
  })
  server.requestTimeout = requestDeadlineMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(request: IncomingMessage, response: ServerResponse, data: PageData): Promise<void> {
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) {
    return send(response, 421, 'text/plain', 'this page is for this machine only')
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET')
  if ((request.url ?? '').length > pathLengthMax) return send(response, 414, 'text/plain', 'too long')
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (url.pathname === '/barcode.svg') return sendBarcode(response, url)
  if (url.pathname === '/data/setup') return sendJson(response, data.setup())
  if (url.pathname === '/data/story') return sendJson(response, data.story())
  if (url.pathname === '/data/cards') return sendJson(response, data.cards(url.searchParams.get('search') ?? ''))
  const serial = /^\/data\/phones\/([0-9a-zA-Z-]{1,64})$/.exec(url.pathname)?.[1]
  if (serial !== undefined) {
    const phone = await data.phone(serial)
    return phone === undefined ? send(response, 404, 'application/json', '{}') : sendJson(response, phone)
  }
  return sendFile(response, url.pathname === '/' ? 'index.html' : url.pathname.slice(1))
}

async function sendFile(response: ServerResponse, name: string): Promise<void> {
  if (!files.has(name)) return send(response, 404, 'text/plain', 'there is no such page')
  const bytes = await readFile(new URL(`./static/${name}`, import.meta.url))
  send(response, 200, types[extname(name)] ?? 'application/octet-stream', bytes)
}

function sendBarcode(response: ServerResponse, url: URL): void {
  const format = url.searchParams.get('format') ?? ''
  const text = url.searchParams.get('text') ?? ''
  const svg = drawBarcode(format, text)
  if (svg === undefined) {
    send(response, 400, 'text/plain', 'format is qr, code128, pdf417 or aztec; text has 1 to 200 characters')
    return
  }
  send(response, 200, 'image/svg+xml', svg)
}

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, 200, 'application/json', JSON.stringify(value))
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  response.end(body)
}
