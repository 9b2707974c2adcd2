import type { Template } from '@stampede/proto/templates/v1'

/** Something of a template that a wallet cannot show. */
export interface Gap {
  readonly wallet: 'apple' | 'google'
  /** As in the proto. */
  readonly field: string
  readonly reason: string
}

interface Rule {
  readonly wallet: Gap['wallet']
  readonly field: string
  readonly reason: string
  readonly applies: (template: Template) => boolean
}

const hasImage = (kind: string) => (template: Template) =>
  Object.keys(template.images).some((name) => new RegExp(`(?:^|/)${kind}(?:@[23]x)?\\.png$`).test(name))

const rules: readonly Rule[] = [
  {
    wallet: 'google',
    field: 'label_color',
    reason: 'Google chooses the colours of texts by itself',
    applies: () => true,
  },
  {
    wallet: 'google',
    field: 'images[strip.png]',
    reason: 'Google shows a hero image (google_hero_url) instead of a strip',
    applies: (template) => hasImage('strip')(template) && template.googleHeroUrl === '',
  },
  {
    wallet: 'google',
    field: 'images[thumbnail.png]',
    reason: 'Google shows no thumbnail',
    applies: hasImage('thumbnail'),
  },
  {
    wallet: 'google',
    field: 'images',
    reason: 'images of a language are Apple’s only',
    applies: ({ images }) => Object.keys(images).some((name) => name.includes('.lproj/')),
  },
  {
    wallet: 'google',
    field: 'barcode_formats',
    reason: 'Google draws one barcode: the first',
    applies: ({ barcodeFormats }) => barcodeFormats.length > 1,
  },
  {
    wallet: 'google',
    field: 'poster',
    reason: 'Google has no posters',
    applies: ({ poster }) => poster,
  },
  {
    wallet: 'google',
    field: 'max_distance_meters',
    reason: 'Google chooses by itself how near is near',
    applies: ({ maxDistanceMeters }) => maxDistanceMeters > 0,
  },
  {
    wallet: 'google',
    field: 'places',
    reason: 'Google shows no text of a place',
    applies: ({ places }) => places.some(({ relevantText }) => relevantText !== ''),
  },
  {
    wallet: 'google',
    field: 'message_history',
    reason: 'Google keeps the last ten messages whatever is asked for',
    applies: ({ messageHistory }) => messageHistory > 0,
  },
  {
    wallet: 'google',
    field: 'sharing_prohibited',
    reason: 'Google lets one user have the card on all devices, and nobody else',
    applies: ({ sharingProhibited }) => sharingProhibited,
  },
  {
    wallet: 'google',
    field: 'change_message',
    reason: 'Google words its notifications by itself',
    applies: (template) =>
      [
        ...template.headerFields,
        ...template.primaryFields,
        ...template.secondaryFields,
        ...template.auxiliaryFields,
        ...template.backFields,
      ].some(({ changeMessage }) => changeMessage !== ''),
  },
  {
    wallet: 'google',
    field: 'nfc.requires_authentication',
    reason: 'Google asks for a screen lock by itself',
    applies: ({ nfc }) => nfc?.requiresAuthentication === true,
  },
  {
    wallet: 'google',
    field: 'fields',
    reason: 'a member’s name never goes to Google',
    applies: (template) =>
      JSON.stringify([
        template.headerFields,
        template.primaryFields,
        template.secondaryFields,
        template.auxiliaryFields,
        template.backFields,
      ]).includes('{name}'),
  },
  {
    wallet: 'apple',
    field: 'google_hero_url',
    reason: 'Apple draws images of the pass only (strip)',
    applies: (template) => template.googleHeroUrl !== '' && !hasImage('strip')(template),
  },
  {
    wallet: 'apple',
    field: 'tiers',
    reason: 'a tier has a name and a picture at Apple by a template of its own and a rule',
    applies: ({ tiers }) => tiers.length > 0,
  },
  {
    wallet: 'apple',
    field: 'nfc.redemption_issuers',
    reason: 'Apple knows readers by their key',
    applies: ({ nfc }) => (nfc?.redemptionIssuers.length ?? 0) > 0,
  },
  {
    wallet: 'apple',
    field: 'style',
    reason: 'Apple draws a gift card as a store card',
    applies: ({ style }) => style === 'gift_card',
  },
  {
    wallet: 'apple',
    field: 'poster',
    reason: 'before iOS 18 (events) and iOS 27 (others) phones draw the classic style',
    applies: ({ poster }) => poster,
  },
]

/** What each wallet cannot show of a template. */
export function parityGaps(template: Template): readonly Gap[] {
  return rules
    .filter(({ applies }) => applies(template))
    .map(({ wallet, field, reason }) => ({ wallet, field: `template.${field}`, reason }))
}
