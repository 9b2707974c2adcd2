import type { KeyObject } from 'node:crypto'
import { makeEvent, type OutboxMessage, seal, sealedAad, subjects, uuidv7 } from '@stampede/platform'
import type { Brand } from '@stampede/proto/enrollment/v1'
import type { ApiKeyRow } from './store/api-keys.ts'
import type { NewMemberRow } from './store/members.ts'

/** A new brand, for the directories of all services. */
export function brandChanged(brand: Brand): OutboxMessage {
  return { subject: subjects.brandKey(brand.brand), id: uuidv7(), payload: Buffer.from(JSON.stringify(brand)) }
}

/** A new API key, for the servers of all services. */
export function accessGranted(row: ApiKeyRow): OutboxMessage {
  const record = { keyId: row.keyId, role: row.role, brands: [row.brand] }
  return { subject: subjects.accessKey(row.sha256), id: uuidv7(), payload: Buffer.from(JSON.stringify(record)) }
}

/** An API key that is no longer valid: a record without role grants nothing. */
export function accessRevoked(keyId: string, sha256: string): OutboxMessage {
  const record = { keyId, revoked: true }
  return { subject: subjects.accessKey(sha256), id: uuidv7(), payload: Buffer.from(JSON.stringify(record)) }
}

/** A new member, without personal data in clear. */
export function memberEnrolled(
  brand: string,
  member: NewMemberRow,
  key: KeyObject,
  firstName: string,
  now: Date,
): OutboxMessage {
  const sealedFirstName =
    firstName === ''
      ? undefined
      : seal(key, member.keyVersion, firstName, sealedAad(brand, member.memberId, 'first_name'))
  return makeEvent(
    {
      brand,
      aggregateKind: 'member',
      aggregateId: member.memberId,
      aggregateVersion: 1n,
      eventTime: member.enrolledAt,
      schema: 'enrollment.member.v1',
      payload: {
        $case: 'member',
        value: {
          memberId: member.memberId,
          cardNumber: member.cardNumber,
          status: member.status,
          locale: member.locale,
          marketingConsent: member.marketingConsent,
          sealedFirstName,
          enrolledAt: member.enrolledAt,
          storeId: member.storeId,
        },
      },
    },
    now,
  )
}
