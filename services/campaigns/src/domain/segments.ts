/** Audiences that analytics knows: all passes, everyone who bought, and the RFM segments. */
export const knownSegments: ReadonlySet<string> = new Set([
  'all',
  'buyers',
  'champions',
  'loyal',
  'potential_loyalist',
  'new',
  'promising',
  'need_attention',
  'about_to_sleep',
  'at_risk',
  'cannot_lose',
  'hibernating',
  'prospects',
])
