/** Place of a chunk of pushes in its campaign: part `part`, from 0, of `parts` of the audience row `index`. */
export interface ChunkPlace {
  readonly campaignId: string
  readonly index: number
  readonly part: number
  /** 0: nobody of the row holds a phone, there is nothing to push. */
  readonly parts: number
}

/** Reads `<campaign id>/<index>/<part>of<parts>`; undefined when it is not a campaign's. */
export function parseChunkId(chunkId: string): ChunkPlace | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(\d{1,9})\/(\d{1,9})of(\d{1,9})$/.exec(chunkId)
  if (match === null) return undefined
  const [, campaignId = ''] = match
  const [index = 0, part = 0, parts = 0] = match.slice(2).map(Number)
  if (part >= Math.max(parts, 1)) return undefined
  return { campaignId, index, part, parts }
}
