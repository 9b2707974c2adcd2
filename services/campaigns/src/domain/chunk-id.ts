/** Place of a chunk of pushes in its campaign: part `part` of `parts` of the audience row `index`. */
export interface ChunkPlace {
  readonly campaignId: string
  readonly index: number
  readonly part: number
  /** 0: nobody of the row holds a phone, there is nothing to push. undefined: the id does not say. */
  readonly parts: number | undefined
}

/** Reads `<campaign id>/<index>/<part>of<parts>`, or without the number of parts; undefined when it is not a campaign's. */
export function parseChunkId(chunkId: string): ChunkPlace | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(\d{1,9})\/(\d{1,9})(?:of(\d{1,9}))?$/.exec(chunkId)
  if (match === null) return undefined
  const [, campaignId = '', index, part, parts] = match
  return {
    campaignId,
    index: Number(index),
    part: Number(part),
    parts: parts === undefined ? undefined : Number(parts),
  }
}
