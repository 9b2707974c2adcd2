import { checkBigint, checkText, invalidArgument } from '@stampede/platform'
import { type PreviewTemplateRequest, type PreviewTemplateResponse, SampleCard } from '@stampede/proto/passes/v1'
import type { Template } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { type BrandView, type CardState, emptyAccount } from '../domain/card.ts'
import { localeOf } from '../domain/design.ts'
import { checkDetails, checkValues } from '../domain/details.ts'
import { passJson } from '../domain/pass-content.ts'
import { supportedLocale } from '../domain/pattern.ts'
import { composeMessage } from '../domain/values.ts'
import type { Face } from '../preview/face.ts'
import { checkCardNumber } from '../upsert-cards.ts'
import { checkTemplate } from './check-template.ts'
import { getTemplate } from './get-template.ts'
import { checkMessageText } from './message-text.ts'
import { checkLocale, knownBrand, MAX_POINTS } from './upsert-pass.ts'

const MAX_NAME_CHARS = 100
/** An EAN, so that every format of barcode can show it. */
const SAMPLE_NUMBER = '4006381333931'
const SAMPLE_ID = '00000000-0000-7000-8000-000000000000'

/** Draws a template for a sample card. */
export async function previewTemplate(
  context: Context,
  request: PreviewTemplateRequest,
): Promise<PreviewTemplateResponse> {
  const brand = knownBrand(context, request.brand)
  const template = await wantedTemplate(context, request)
  const face = sampleFace(brand, template, request.card ?? SampleCard.fromPartial({}))
  const sides = await context.previews.draw(face)
  return {
    previews: sides.map(({ side, drawing, png }) => ({ ...drawing, side, png, height: Math.ceil(drawing.height) })),
  }
}

/** What a template shows of a sample card; throws INVALID_ARGUMENT naming the field. */
export function sampleFace(brand: BrandView, template: Template, card: SampleCard): Face {
  const design = checkTemplate(template)
  const state = sampleState(card, template)
  const shown = shownOf(card, state, brand)
  const pass = passJson({ design, brand, state, serial: SAMPLE_ID, shown, allowsNfc: false })
  return { pass, images: template.images, locale: supportedLocale(localeOf(design, state.member.locale)) }
}

async function wantedTemplate(context: Context, request: PreviewTemplateRequest): Promise<Template> {
  if (request.template !== undefined) return request.template
  const { template } = await getTemplate(context, request)
  if (template === undefined) throw invalidArgument('template', 'must be given')
  return template
}

function sampleState(card: SampleCard, template: Template): CardState {
  const details = checkDetails(card.details, 'card.details')
  checkValues(details, template.values, 'card.details')
  const points = (value: bigint, field: string) => checkBigint(value, field, { min: -MAX_POINTS, max: MAX_POINTS })
  return {
    kind: 'card',
    member: {
      memberId: SAMPLE_ID,
      cardNumber: card.cardNumber === '' ? SAMPLE_NUMBER : checkCardNumber(card.cardNumber, 'card.card_number'),
      status: 'active',
      locale: checkLocale(card.locale, 'card.locale'),
      marketingConsent: true,
      sealedName: undefined,
    },
    account: {
      ...emptyAccount,
      available: points(card.details?.points ?? 0n, 'card.details.points'),
      nextExpiryAt: card.nextExpiryAt,
      nextExpiryPoints: points(card.nextExpiryPoints, 'card.next_expiry_points'),
    },
    relevance: { places: [], beacons: [] },
    details,
  }
}

function shownOf(
  card: SampleCard,
  state: CardState,
  brand: BrandView,
): { readonly name: string; readonly message: string } {
  const name = checkText(card.name, 'card.name', { max: MAX_NAME_CHARS })
  if (card.message === '') return { name, message: '' }
  const text = checkMessageText(card.message, 'card.message')
  return { name, message: composeMessage([{ locale: '', text }], state, brand, name) }
}
