import {
  checkBigint,
  checkIdempotencyKey,
  checkList,
  checkText,
  invalidArgument,
  notFound,
  StampedeError,
} from '@stampede/platform'
import { ChangeRewardStockRequest, ChangeRewardStockResponse } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { stockMessage } from '../../reward-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { addCodes } from '../../store/rewards/codes.ts'
import { lockStocks, readRewards, writeStocks } from '../../store/rewards/rewards.ts'
import { brandOf, fingerprint, idPattern } from '../checks.ts'

const CODES_MAX = 1_000
const PIECES_MAX = 1_000_000_000n

/** Adds pieces or codes to a reward, or takes free pieces away. */
export async function changeRewardStock(
  context: LedgerContext,
  request: ChangeRewardStockRequest,
): Promise<ChangeRewardStockResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const rewardId = checkText(request.rewardId, 'reward_id', { min: 1, max: 40, pattern: idPattern })
  const pieces = checkBigint(request.pieces, 'pieces', { min: -PIECES_MAX, max: PIECES_MAX })
  const codes = checkList(request.codes, 'codes', { max: CODES_MAX }).map((code, index) =>
    checkText(code, `codes[${index}]`, { min: 1, max: 64 }),
  )
  const repeated = codes.findIndex((code, index) => codes.indexOf(code) < index)
  if (repeated >= 0) throw invalidArgument(`codes[${repeated}]`, 'is there twice')
  const encoded = ChangeRewardStockRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('reward.stock', encoded), method: 'reward.stock' }
  const response = await answerOnce(context, once, async (tx) => {
    const found = { brand, rewardId }
    const [stored] = await lockStocks(tx, [found])
    const reward = [...(await readRewards(tx, [found])).values()][0]
    if (stored === undefined || reward === undefined) throw notFound()
    const isVoucher = reward.kind === 'voucher'
    if (isVoucher && pieces !== 0n) throw invalidArgument('pieces', 'of a voucher are its codes')
    if (!isVoucher && codes.length > 0) throw invalidArgument('codes', 'are only for vouchers')
    const { free } = stored.stock
    if (free === undefined) throw invalidArgument('reward_id', 'is a reward whose pieces are not counted')
    const { taken } = await addCodes(tx, found, codes)
    if (taken !== undefined) {
      throw new StampedeError('ALREADY_EXISTS', 'this code is taken', { field: `codes[${codes.indexOf(taken)}]` })
    }
    const added = free + pieces + BigInt(codes.length)
    if (added < 0n) throw new StampedeError('OUT_OF_STOCK', `only ${free} are free`, { field: 'pieces' })
    const stock = { ...stored.stock, free: added }
    await writeStocks(tx, [{ ...found, stock }])
    return { response: ChangeRewardStockResponse.encode({ stock: stockMessage(stock) }).finish(), causeId: null }
  })
  return ChangeRewardStockResponse.decode(response)
}
