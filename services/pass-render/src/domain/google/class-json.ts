import type { BrandView } from '../card.ts'
import type { Design } from '../design.ts'
import { googleClassId, passTypeOf } from './ids.ts'
import { colour, image, localized, shorten } from './parts.ts'

/** Display lengths that Google recommends, in characters. */
const MAX_NAME_CHARS = 20
const MAX_PROVIDER_CHARS = 12
const MAX_TITLE_CHARS = 60

/** What a class is made of besides its design. */
export interface ClassParts {
  readonly templateId: string
  /** The card's own logo, where the design names none for Google. */
  readonly logoUrl: string
  readonly callbackUrl: string
  /** Whether the brand may give contactless readers anything. */
  readonly allowsNfc: boolean
}

/** The class of a template's cards as JSON. */
export function googleClassJson(brand: BrandView, design: Design, parts: ClassParts): string {
  const passType = passTypeOf(design.style)
  const { templateId } = parts
  return JSON.stringify({
    id: googleClassId(brand, { templateId, passType }),
    ...(passType === 'generic' ? {} : commonOf(brand, design)),
    ...ownOf(brand, design, parts.logoUrl),
    multipleDevicesAndHoldersAllowedStatus: 'ONE_USER_ALL_DEVICES',
    // Google tells us there who saved a card and who removed it.
    callbackOptions: { url: parts.callbackUrl },
    ...smartTapOf(brand, design, parts.allowsNfc),
  })
}

function commonOf(brand: BrandView, design: Design): object {
  return {
    issuerName: shorten(brand.name, MAX_NAME_CHARS),
    ...(design.googleHeroUrl === '' ? {} : { heroImage: image(design.googleHeroUrl, brand.name) }),
    hexBackgroundColor: colour(design.backgroundColor),
    // Google approves at once, but refuses a later write that does not repeat it.
    reviewStatus: 'UNDER_REVIEW',
  }
}

function ownOf(brand: BrandView, design: Design, ownLogoUrl: string): object {
  const title = design.logoText === '' ? brand.name : design.logoText
  const logo = image(design.googleLogoUrl === '' ? ownLogoUrl : design.googleLogoUrl, `${brand.name} logo`)
  switch (passTypeOf(design.style)) {
    case 'loyalty':
      return { programName: shorten(title, MAX_NAME_CHARS), programLogo: logo }
    case 'offer':
      return {
        provider: shorten(brand.name, MAX_PROVIDER_CHARS),
        title: shorten(title, MAX_TITLE_CHARS),
        redemptionChannel: 'BOTH',
        titleImage: logo,
      }
    case 'giftCard':
      return { merchantName: shorten(title, MAX_NAME_CHARS), programLogo: logo }
    case 'eventTicket':
      return { eventName: localized(title, design.language), logo, ...dateTimeOf(design) }
    case 'generic':
      return {}
  }
}

function dateTimeOf({ startsAt, endsAt }: Design): object {
  if (startsAt === undefined || endsAt === undefined) return {}
  return { dateTime: { start: startsAt.toISOString(), end: endsAt.toISOString() } }
}

function smartTapOf(brand: BrandView, { nfc }: Design, allowsNfc: boolean): object {
  if (nfc === undefined || !allowsNfc) return {}
  const issuers = nfc.redemptionIssuers.length === 0 ? [brand.googleIssuerId] : nfc.redemptionIssuers
  return { enableSmartTap: true, redemptionIssuers: issuers }
}
