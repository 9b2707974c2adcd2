import { randomBytes } from 'node:crypto'
import { checkIdempotencyKey, checkPresent, failedPrecondition } from '@stampede/platform'
import { PutDrawRequest, PutDrawResponse } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { secretHashOf } from '../../domain/draws/draw.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { writeDraw } from '../../store/draws/draws.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkDraw, namedDraw } from './check-draw.ts'

const SECRET_BYTES = 32

/** Announces a draw, or changes one that has not begun; its secret stays. */
export async function putDraw(context: LedgerContext, request: PutDrawRequest): Promise<PutDrawResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const message = checkPresent(request.draw, 'draw')
  const encoded = PutDrawRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('draw', encoded), method: 'draw' }
  const response = await answerOnce(context, once, async (tx, now) => {
    checkDraw(message, now.getTime())
    const secret = randomBytes(SECRET_BYTES).toString('hex')
    if (!(await writeDraw(tx, brand, { message, secret }, now))) throw failedPrecondition('the draw has begun')
    const stored = await namedDraw(tx, brand, message.drawId)
    return { response: PutDrawResponse.encode({ secretHash: secretHashOf(stored.secret) }).finish(), causeId: null }
  })
  return PutDrawResponse.decode(response)
}
