import { PushChunk } from '@stampede/proto/push/v1'
import { type TokenSeries, tokenSeries } from '@stampede/sandbox'

/** A campaign of one brand to phones with the tokens of a series: recipient 0 has token 0. */
export interface Campaign {
  readonly brand: string
  readonly campaignId: string
  /** The brand's pass type id. */
  readonly topic: string
  /** Seed of the series, as the sandbox is told it. */
  readonly seed: string
  readonly series: TokenSeries
  readonly recipients: number
  /** Recipients of a chunk; the last one may have fewer. */
  readonly chunkSize: number
}

const EXPIRES_AFTER_SECONDS = 3_600

/** A campaign of that brand. */
export function makeCampaign(brand: string, recipients: number, chunkSize: number): Campaign {
  const seed = `${brand}-tokens`
  const topic = `pass.com.example.${brand}`
  return { brand, campaignId: `${brand}-sale`, topic, seed, series: tokenSeries(seed), recipients, chunkSize }
}

/** Ids of all its chunks, in order. */
export function chunkIds({ campaignId, recipients, chunkSize }: Campaign): readonly string[] {
  return Array.from({ length: Math.ceil(recipients / chunkSize) }, (_, index) => `${campaignId}/${index}/0of1`)
}

/** Recipients of the chunk with that index. */
export function recipientsOf({ recipients, chunkSize }: Campaign, index: number): number {
  return Math.min(chunkSize, recipients - index * chunkSize)
}

/** The chunk with that index and id, encoded. */
export function encodeChunk(campaign: Campaign, index: number, chunkId: string): Uint8Array {
  const { brand, campaignId, topic, series, chunkSize } = campaign
  const numbers = Array.from({ length: recipientsOf(campaign, index) }, (_, at) => index * chunkSize + at)
  const chunk = PushChunk.fromPartial({
    chunkId,
    brand,
    campaignId,
    topic,
    pushTokens: numbers.map((number) => Buffer.from(series.token(number), 'hex')),
    passNo: numbers.map(BigInt),
    deviceLibraryId: numbers.map((number) => `${brand}-phone-${number}`),
    createdAt: new Date(),
    expiresAfterSeconds: EXPIRES_AFTER_SECONDS,
  })
  return PushChunk.encode(chunk).finish()
}
