/** Life of a campaign. */
export type CampaignStatus = 'draft' | 'running' | 'paused' | 'aborted' | 'done'

/** What can be asked of a campaign. */
export type CampaignAction = 'start' | 'pause' | 'resume' | 'abort'

const transitions: Readonly<
  Record<CampaignAction, { readonly from: readonly CampaignStatus[]; readonly to: CampaignStatus }>
> = {
  start: { from: ['draft'], to: 'running' },
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  abort: { from: ['draft', 'running', 'paused'], to: 'aborted' },
}

/**
 * What an action makes of a status: the next one, `unchanged` when it is there already (a repeated
 * call must not fail), or `refused`.
 */
export function nextStatus(status: CampaignStatus, action: CampaignAction): CampaignStatus | 'unchanged' | 'refused' {
  const { from, to } = transitions[action]
  if (status === to) return 'unchanged'
  return from.includes(status) ? to : 'refused'
}

/** Reads a status of the store; throws on one that this version does not know. */
export function toStatus(text: string): CampaignStatus {
  const known = (['draft', 'running', 'paused', 'aborted', 'done'] as const).find((status) => status === text)
  if (known === undefined) throw new Error(`unknown campaign status ${text}`)
  return known
}
