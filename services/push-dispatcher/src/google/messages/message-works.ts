import { GoogleMessage } from '@stampede/proto/push/v1'
import { type PassType, passTypes } from '../resources/resource-json.ts'
import { isResourceId, issuerOf } from '../resources/works.ts'
import type { Recipient } from './sent-book.ts'

/** Objects of one message at most. */
const OBJECTS_MAX = 10_000
/** Longest header and body, in characters; Google shows less of them. */
const HEADER_CHARACTERS_MAX = 1_000
const BODY_CHARACTERS_MAX = 10_000
/** From the making of a message to its deadline, in milliseconds. */
const LIFE_MAX_MS = 48 * 3_600_000
const messageIdPattern = /^[A-Za-z0-9_-]{1,64}$/

/** Reads a message; undefined when it is none. */
export function decodeMessage(data: Uint8Array): GoogleMessage | undefined {
  try {
    const message = GoogleMessage.decode(data)
    return message.brand === '' || message.messageId === '' ? undefined : message
  } catch {
    return undefined
  }
}

/** Why the message can never be sent; undefined when it can. `issuer`: whose queue it came from. */
export function messageRefusal(message: GoogleMessage, issuer: string): string | undefined {
  const { messageId, issuerId, classId, objectIds, header, body } = message
  if (!messageIdPattern.test(messageId)) return 'badMessageId'
  if (issuerId !== issuer) return 'issuerMismatch'
  if (passTypeOf(message.passType) === undefined) return 'unknownKind'
  if (objectIds.length > OBJECTS_MAX || new Set(objectIds).size !== objectIds.length) return 'badObjectIds'
  if (![classId, ...objectIds].every(isResourceId)) return 'badResourceId'
  if (![classId, ...objectIds].every((id) => issuerOf(id) === issuer)) return 'issuerMismatch'
  if (header === '' || header.length > HEADER_CHARACTERS_MAX) return 'badHeader'
  if (body === '' || body.length > BODY_CHARACTERS_MAX) return 'badBody'
  const lifeMs = (message.expiresAt?.getTime() ?? 0) - (message.createdAt?.getTime() ?? 0)
  return lifeMs > 0 && lifeMs <= LIFE_MAX_MS ? undefined : 'badDeadline'
}

/** Who gets the message. */
export function recipientsOf({ passType, classId, objectIds }: GoogleMessage): readonly Recipient[] {
  const type = passTypeOf(passType)
  if (type === undefined) return []
  if (objectIds.length === 0) return [{ kind: `${type}Class`, id: classId, classId }]
  return objectIds.map((id) => ({ kind: `${type}Object`, id, classId }))
}

/** The type that a message names; loyalty when it names none, undefined when it is not known. */
function passTypeOf(named: string): PassType | undefined {
  return named === '' ? 'loyalty' : passTypes.find((type) => type === named)
}
