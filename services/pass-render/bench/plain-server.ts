// A node:https server that does nothing: the floor of what a phone costs. Says its port on its first line.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

const [cert = '', key = '', bytes = '0'] = process.argv.slice(2)
const list = Buffer.from('{"serialNumbers":["0"],"lastUpdated":"0"}')
const pass = Buffer.alloc(Number(bytes))

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const body = request.url?.includes('/registrations/') === true ? list : pass
  response.writeHead(200, { 'Content-Length': body.length, 'Content-Type': 'application/json' }).end(body)
})
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
