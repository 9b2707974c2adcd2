import type { DetailsView } from './card.ts'

/** One rule: an empty condition holds for every card. */
export interface TemplateRule {
  readonly tier: string
  readonly segment: string
  readonly channel: string
  readonly templateId: string
}

/** The template that the first rule picks for a card; undefined when none holds. */
export function pickTemplate(
  rules: readonly TemplateRule[],
  card: Pick<DetailsView, 'tier' | 'segment' | 'channel'>,
): string | undefined {
  return rules.find(
    (rule) =>
      (rule.tier === '' || rule.tier === card.tier) &&
      (rule.segment === '' || rule.segment === card.segment) &&
      (rule.channel === '' || rule.channel === card.channel),
  )?.templateId
}
