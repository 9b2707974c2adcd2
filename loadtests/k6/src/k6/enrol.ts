import { sleep } from 'k6'
import { Service } from './grpc.ts'
import { note, noteWrong } from './metrics.ts'
import { ask, checkPass } from './phone.ts'
import { fixture, pick, uniqueKey } from './world.ts'

const enrollment = new Service(
  'stampede/enrollment/v1/enrollment.proto',
  'stampede.enrollment.v1.EnrollmentService',
  fixture.addresses.enrollment,
  fixture.tillKey,
)
const passes = new Service(
  'stampede/passes/v1/passes.proto',
  'stampede.passes.v1.PassesService',
  fixture.addresses.passes,
  fixture.tillKey,
)

const cardDeadlineMs = 20_000
const lookAgainSeconds = 0.2
const firstNames = ['Ada', 'Björn', 'Chloé', 'Dmitri', 'Eve', 'Farid', 'Grace', 'Hiro'] as const

/** A shopper joins at a till, and downloads the card. */
export function enrol(): void {
  const key = uniqueKey('enrol')
  const startedAtMs = Date.now()
  const answer = enrollment.call<{ member: { memberId: string; cardNumber: string } }>('enrol', 'Enroll', {
    idempotencyKey: key,
    brand: fixture.brand,
    member: {
      reference: key.slice(-80),
      firstName: pick(firstNames),
      lastName: 'Load',
      locale: 'en-GB',
      storeId: pick(fixture.stores),
    },
  })
  if (!answer.ok) return
  const { memberId, cardNumber } = answer.message.member
  if (!/^\d{16}$/.test(cardNumber)) noteWrong('enrol', `"${cardNumber}" is no card number`)
  const url = cardOf(memberId, startedAtMs)
  note('card', startedAtMs, url !== undefined)
  if (url === undefined) return
  const pass = ask('download', url, {})
  if (pass !== undefined) checkPass('download', pass)
}

/** Where the member's card can be downloaded, once it is there. */
function cardOf(memberId: string, startedAtMs: number): string | undefined {
  while (Date.now() - startedAtMs < cardDeadlineMs) {
    const found = passes.look<{ pass: { appleUrl: string } }>('GetPass', { brand: fixture.brand, memberId })
    if (found !== undefined) return found.pass.appleUrl
    sleep(lookAgainSeconds)
  }
  return undefined
}
