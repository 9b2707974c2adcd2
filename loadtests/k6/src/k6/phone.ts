import { sleep } from 'k6'
import exec from 'k6/execution'
import http, { type RefinedResponse } from 'k6/http'
import { Counter } from 'k6/metrics'
import type { Phone } from '../plan/fixture.ts'
import { isInterrupted } from './json.ts'
import { note, noteWrong } from './metrics.ts'
import { phones } from './world.ts'

const turnedAway = new Counter('turned_away')

/** Tries of one request, the first included; a phone gives up then and waits for the next push. */
const triesMax = 5
const pauseSeconds = 0.5
const retryAfterMaxSeconds = 30
const timeout = '20s'

type Answer = RefinedResponse<'binary'>

/** A phone that comes back: a fresh TLS connection, the list of changed cards, and each of them, signed now. */
export function phone(): void {
  const held = phones[exec.scenario.iterationInTest % phones.length]
  if (held === undefined) throw new Error('there are no phones')
  const startedAtMs = Date.now()
  const isServed = visit(held)
  note('visit', startedAtMs, isServed)
}

function visit(held: Phone): boolean {
  const { webServiceUrl, device, passTypeId } = held
  const list = ask('list', `${webServiceUrl}/v1/devices/${device}/registrations/${passTypeId}`, {})
  if (list === undefined) return false
  // Without a tag everything that the phone holds is new to it.
  const { serialNumbers } = JSON.parse(textOf(list)) as { serialNumbers: readonly string[] }
  if (!serialNumbers.includes(held.serial)) {
    noteWrong('list', `${held.serial} is not on the list of its phone`)
    return false
  }
  const url = `${webServiceUrl}/v1/passes/${passTypeId}/${held.serial}`
  const pass = ask('pass', url, { authorization: `ApplePass ${held.authToken}` })
  if (pass === undefined) return false
  checkPass('pass', pass)
  return true
}

/** A .pkpass is a zip. */
export function checkPass(kind: 'pass' | 'download', pass: Answer): void {
  const [first, second] = new Uint8Array(pass.body)
  const isZip = first === 0x50 && second === 0x4b
  if (!isZip || pass.headers['Content-Type'] !== 'application/vnd.apple.pkpass') noteWrong(kind, 'this is no pass')
}

/** Asks until there is a good answer; comes again when it is told to. Notes the last try alone: waiting is the visit's. */
export function ask(
  kind: 'list' | 'pass' | 'download',
  url: string,
  headers: Readonly<Record<string, string>>,
): Answer | undefined {
  for (let tries = 1; ; tries += 1) {
    const startedAtMs = Date.now()
    const answer = http.get(url, { headers: { ...headers }, responseType: 'binary', timeout })
    if (answer.status === 200) {
      note(kind, startedAtMs, true, tries)
      return answer
    }
    if (isInterrupted(answer.error)) return undefined
    // 0: cut off before it cost anything.
    const isTurnedAway = answer.status === 0 || answer.status === 429 || answer.status === 503
    if (isTurnedAway) turnedAway.add(1, { kind })
    if (!isTurnedAway || tries === triesMax) {
      note(kind, startedAtMs, false, tries)
      console.error(`${kind}: status ${answer.status} after ${tries} tries: ${answer.error}`)
      return undefined
    }
    const asked = Number(answer.headers['Retry-After'] ?? 0)
    sleep(Math.max(Math.min(asked, retryAfterMaxSeconds), pauseSeconds * 2 ** (tries - 1) * (0.75 + Math.random() / 2)))
  }
}

function textOf({ body }: Answer): string {
  return String.fromCharCode(...new Uint8Array(body))
}
