import { segmentNames } from '@stampede/lifetimes'

/** Audiences that analytics knows: all passes, everyone who bought, and the RFM segments. */
export const knownSegments: ReadonlySet<string> = new Set(['all', 'buyers', ...segmentNames])
