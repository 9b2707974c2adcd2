import { type Arrived, gather, invalidArgument, itemError, StampedeError } from '@stampede/platform'
import type { UpsertPassesRequest, UpsertPassesResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { type CardWish, upsertCards } from '../upsert-cards.ts'
import { cardWish, knownBrand, upsertAnswer } from './upsert-pass.ts'

/** Requests that go into one transaction at most. */
const MAX_BATCH = 200

/** Many cards over one stream: all requests that wait go into one transaction; answers come in their order. */
export async function* upsertPasses(
  context: Context,
  requests: AsyncIterable<UpsertPassesRequest>,
): AsyncIterable<UpsertPassesResponse> {
  for await (const batch of gather(requests, MAX_BATCH)) yield* await answerBatch(context, batch)
}

type Checked =
  | { readonly index: bigint; readonly brand: string; readonly wish: CardWish }
  | { readonly index: bigint; readonly error: unknown }

async function answerBatch(
  context: Context,
  batch: readonly Arrived<UpsertPassesRequest>[],
): Promise<readonly UpsertPassesResponse[]> {
  const checked = batch.map(({ index, request }): Checked => {
    try {
      const { brand, card } = request
      if (card === undefined) throw invalidArgument('card', 'is missing')
      if (card.brand !== '' && card.brand !== brand) throw invalidArgument('card.brand', 'is not the brand')
      return { index, brand: knownBrand(context, brand).brand, wish: cardWish(card) }
    } catch (error) {
      return { index, error }
    }
  })
  const answers = new Map<bigint, UpsertPassesResponse>()
  for (const item of checked) if ('error' in item) answers.set(item.index, failed(item.index, item.error))
  const good = checked.filter((item) => 'wish' in item)
  for (const group of rounds(good)) {
    const brand = knownBrand(context, group[0]?.brand ?? '')
    const outcomes = await upsertCards(
      context,
      brand,
      group.map((item) => item.wish),
    )
    await Promise.all(
      group.map(async ({ index }, place) => {
        try {
          const ok = await upsertAnswer(context, brand, outcomes[place])
          answers.set(index, { index, result: { $case: 'ok', value: ok } })
        } catch (error) {
          answers.set(index, failed(index, error))
        }
      }),
    )
  }
  return batch.flatMap(({ index }) => answers.get(index) ?? [])
}

/** Groups of one brand in which each card comes once, so that a later request of a card sees the earlier one. */
function rounds<T extends { readonly brand: string; readonly wish: CardWish }>(items: readonly T[]): readonly T[][] {
  const groups: { readonly brand: string; readonly seen: Set<string>; readonly items: T[] }[] = []
  for (const item of items) {
    const last = groups.findLast((group) => group.brand === item.brand)
    if (last !== undefined && !last.seen.has(item.wish.cardNumber)) {
      last.seen.add(item.wish.cardNumber)
      last.items.push(item)
    } else {
      groups.push({ brand: item.brand, seen: new Set([item.wish.cardNumber]), items: [item] })
    }
  }
  return groups.map((group) => group.items)
}

function failed(index: bigint, error: unknown): UpsertPassesResponse {
  const { code, field, message } = itemError(StampedeError.from(error))
  return { index, result: { $case: 'error', value: { code, field, message } } }
}
