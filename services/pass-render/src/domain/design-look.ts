import type { Template } from '@stampede/proto/templates/v1'

type Report = (field: string, reason: string) => void

const formatNames = ['qr', 'pdf417', 'aztec', 'code128', 'ean13', 'code39', 'codabar', 'i2of5']
/** Drawn since iOS 27 only: one of the others must follow. */
const newFormats = new Set(['ean13', 'code39', 'codabar', 'i2of5'])
const styleNames = ['', 'store_card', 'coupon', 'generic', 'gift_card', 'event']
const localePattern = /^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$/
const MAX_LOGO_TEXT_CHARS = 40
const MAX_URL_CHARS = 500
const MAX_LANGUAGES = 20
const MAX_TEXTS = 200
const MAX_PLACES = 10
const MAX_TIERS = 20
const MAX_HISTORY = 10
const MAX_DISTANCE_METERS = 100_000

/** Notes what is wrong with all of a template but its texts and values. */
export function checkLook(template: Template, report: Report): void {
  if (!styleNames.includes(template.style)) report('style', `must be one of ${styleNames.slice(1).join(', ')}`)
  checkColours(template, report)
  if ([...template.logoText].length > MAX_LOGO_TEXT_CHARS) {
    report('logo_text', `must have at most ${MAX_LOGO_TEXT_CHARS} characters`)
  }
  checkBarcodes(template.barcodeFormats, report)
  checkUrl(template.googleLogoUrl, 'google_logo_url', report)
  checkUrl(template.googleHeroUrl, 'google_hero_url', report)
  checkLanguages(template, report)
  checkPlaces(template, report)
  checkTimes(template, report)
  checkTiers(template, report)
  if (template.messageHistory > MAX_HISTORY) report('message_history', `must be at most ${MAX_HISTORY}`)
}

function checkColours(template: Template, report: Report): void {
  const colours = {
    background_color: template.backgroundColor,
    foreground_color: template.foregroundColor,
    label_color: template.labelColor,
  }
  for (const [name, colour] of Object.entries(colours)) if (colour > 0xffffff) report(name, 'must be 0xRRGGBB')
}

function checkBarcodes(formats: readonly string[], report: Report): void {
  if (formats.length > formatNames.length) report('barcode_formats', `must hold at most ${formatNames.length} formats`)
  for (const [index, name] of formats.entries()) {
    if (!formatNames.includes(name)) report(`barcode_formats[${index}]`, `must be one of ${formatNames.join(', ')}`)
    if (formats.indexOf(name) < index) report(`barcode_formats[${index}]`, 'is there twice')
  }
  if (newFormats.has(formats.at(-1) ?? '')) {
    report(`barcode_formats[${formats.length - 1}]`, 'is drawn by nothing before iOS 27: end with one of the others')
  }
}

function checkUrl(url: string, field: string, report: Report): void {
  if (url === '') return
  if (url.length > MAX_URL_CHARS) report(field, `must have at most ${MAX_URL_CHARS} characters`)
  else if (!/^https?:\/\/\S+$/.test(url) || !URL.canParse(url)) report(field, 'must be a public http(s) URL')
}

function checkLanguages({ language, languages }: Template, report: Report): void {
  if (language !== '' && !localePattern.test(language)) report('language', 'must be BCP-47, such as en or pt-BR')
  if (languages.length > MAX_LANGUAGES) report('languages', `must hold at most ${MAX_LANGUAGES} languages`)
  const seen = new Set<string>()
  for (const [index, { locale, texts }] of languages.entries()) {
    const path = `languages[${index}]`
    if (!localePattern.test(locale)) report(`${path}.locale`, 'must be BCP-47, such as ru or pt-BR')
    if (seen.has(locale.toLowerCase())) report(`${path}.locale`, 'is there twice')
    seen.add(locale.toLowerCase())
    if (Object.keys(texts).length > MAX_TEXTS) report(`${path}.texts`, `must hold at most ${MAX_TEXTS} texts`)
  }
}

function checkPlaces({ places, maxDistanceMeters }: Template, report: Report): void {
  if (places.length > MAX_PLACES) report('places', `must hold at most ${MAX_PLACES} places`)
  for (const [index, { latitude, longitude }] of places.entries()) {
    if (!(Math.abs(latitude) <= 90)) report(`places[${index}].latitude`, 'must be -90 to 90')
    if (!(Math.abs(longitude) <= 180)) report(`places[${index}].longitude`, 'must be -180 to 180')
  }
  if (maxDistanceMeters > MAX_DISTANCE_METERS) report('max_distance_meters', `must be at most ${MAX_DISTANCE_METERS}`)
}

function checkTimes({ style, startsAt, endsAt }: Template, report: Report): void {
  if ((startsAt === undefined) !== (endsAt === undefined)) {
    report(startsAt === undefined ? 'starts_at' : 'ends_at', 'must come with its counterpart')
  }
  if (startsAt === undefined || endsAt === undefined) return
  if (style !== 'event') report('starts_at', 'is for events only')
  if (startsAt >= endsAt) report('ends_at', 'must be later than starts_at')
}

function checkTiers({ tiers }: Template, report: Report): void {
  if (tiers.length > MAX_TIERS) report('tiers', `must hold at most ${MAX_TIERS} tiers`)
  const seen = new Set<string>()
  for (const [index, { tier, name, label, googleHeroUrl }] of tiers.entries()) {
    const path = `tiers[${index}]`
    if (tier === '' || [...tier].length > MAX_LOGO_TEXT_CHARS) report(`${path}.tier`, 'must be 1 to 40 characters')
    if (seen.has(tier)) report(`${path}.tier`, 'is there twice')
    seen.add(tier)
    for (const [key, text] of Object.entries({ name, label })) {
      if ([...text].length > MAX_LOGO_TEXT_CHARS) report(`${path}.${key}`, 'must have at most 40 characters')
    }
    checkUrl(googleHeroUrl, `${path}.google_hero_url`, report)
  }
}
