import { sleep } from 'k6'
import { look, post } from './json.ts'
import { note, noteWrong } from './metrics.ts'
import { ask, checkPass } from './phone.ts'
import { fixture, pick, uniqueKey } from './world.ts'

const cardDeadlineMs = 20_000
const lookAgainSeconds = 0.2
const firstNames = ['Ada', 'Björn', 'Chloé', 'Dmitri', 'Eve', 'Farid', 'Grace', 'Hiro'] as const

interface Enrolled {
  readonly member: { readonly memberId: string; readonly cardNumber: string }
}

/** A shopper joins at a till, and downloads the card. */
export function enrol(): void {
  const key = uniqueKey('enrol')
  const startedAtMs = Date.now()
  const { enrollmentHttp } = fixture.addresses
  const answer = post<Enrolled>('enrol', `${enrollmentHttp}/v1/brands/${fixture.brand}/members`, {
    idempotencyKey: key,
    member: {
      reference: key,
      firstName: pick(firstNames),
      lastName: 'Load',
      locale: 'en-GB',
      storeId: pick(fixture.stores),
    },
  })
  if (answer === undefined) return
  const { memberId, cardNumber } = answer.member
  if (!/^\d{16}$/.test(cardNumber)) noteWrong('enrol', `"${cardNumber}" is no card number`)
  const url = cardOf(memberId, startedAtMs)
  note('card', startedAtMs, url !== undefined)
  if (url === undefined) return
  const pass = ask('download', url, {})
  if (pass !== undefined) checkPass('download', pass)
}

/** Where the member's card can be downloaded, once it is there. */
function cardOf(memberId: string, startedAtMs: number): string | undefined {
  const url = `${fixture.addresses.passesHttp}/v1/brands/${fixture.brand}/members/${memberId}/pass`
  while (Date.now() - startedAtMs < cardDeadlineMs) {
    const found = look<{ readonly pass: { readonly appleUrl: string } }>(url)
    if (found !== undefined) return found.pass.appleUrl
    sleep(lookAgainSeconds)
  }
  return undefined
}
