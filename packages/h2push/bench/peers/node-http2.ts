// Peer: node:http2 as a careful user would drive it: one stream per push, a new session as soon as one is going away.
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { drive } from './drive.ts'
import { PUSH_BODY, pushHeaders, readLoad } from './load.ts'

const load = readLoad()
const ca = readFileSync(load.authority)
const leaving = new WeakSet<ClientHttp2Session>()
const sessions = Array.from({ length: load.connections }, open)
let turn = 0

function open(): ClientHttp2Session {
  const session = connect(`https://localhost:${load.port}`, { ca })
  // Without a listener an error would end the process; the streams report it.
  session.on('error', () => undefined)
  session.on('goaway', () => leaving.add(session))
  return session
}

function nextSession(): ClientHttp2Session {
  turn = (turn + 1) % sessions.length
  const session = sessions[turn]
  if (session !== undefined && !session.closed && !session.destroyed && !leaving.has(session)) return session
  const replacement = open()
  sessions[turn] = replacement
  return replacement
}

await drive(load, (token, done) => {
  const stream = nextSession().request({ ':method': 'POST', ':path': `/3/device/${token}`, ...pushHeaders })
  let status = 0
  let id: string | undefined
  let body = ''
  stream.on('response', (headers) => {
    status = headers[':status'] ?? 0
    id = String(headers['apns-id'])
  })
  stream.setEncoding('utf8')
  stream.on('data', (part: string) => {
    body += part
  })
  stream.on('error', () => undefined)
  stream.on('close', () => done(status === 200 && id !== undefined && body === ''))
  stream.end(PUSH_BODY)
})
