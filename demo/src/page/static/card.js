// A pass as Wallet lays it out, from what the sandbox phone holds.

/** An element with a class and children. */
export function node(tag, className, ...children) {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children)
  return made
}

/** An image of the pass as data URL; undefined when the pass has none of that name. */
export function imageOf(phone, name) {
  const bytes = phone.images?.[name]
  return bytes === undefined ? undefined : `data:image/png;base64,${bytes}`
}

function fieldNode({ label = '', value = '' }, labelColor) {
  const name = node('dt', '', label)
  name.style.color = labelColor
  return node('div', 'field', name, node('dd', '', typeof value === 'number' ? value.toLocaleString('en-GB') : value))
}

function barcodeNode(pass) {
  const [barcode] = pass.barcodes ?? []
  if (barcode === undefined) return ''
  const format = barcode.format.replace('PKBarcodeFormat', '').toLowerCase()
  const shown = barcode.altText ?? barcode.message
  const image = Object.assign(node('img'), {
    alt: `barcode of ${shown}`,
    src: `barcode.svg?format=${format}&text=${encodeURIComponent(barcode.message)}`,
  })
  const isWide = format === 'code128' || format === 'pdf417'
  return node('div', isWide ? 'code' : 'code square', image, shown)
}

/** The front: logo and header on top, the primary field over the strip, one row of the rest, the barcode. */
export function drawFront(target, phone) {
  const pass = phone.passJson
  const groups = pass.storeCard
  const list = (className, ...names) =>
    node(
      'dl',
      className,
      ...names.flatMap((name) => groups[name] ?? []).map((field) => fieldNode(field, pass.labelColor)),
    )
  const logo = node('div', 'logo')
  const logoSource = imageOf(phone, 'logo')
  if (logoSource) logo.style.backgroundImage = `url(${logoSource})`
  const strip = list('strip', 'primaryFields')
  const stripSource = imageOf(phone, 'strip')
  if (stripSource) strip.style.backgroundImage = `url(${stripSource})`
  const title = node('div', 'title', logo, node('span', '', pass.logoText ?? ''))
  const top = node('div', 'top', title, list('header', 'headerFields'))
  const shown = node('div', 'pass', top, strip, list('rest', 'secondaryFields', 'auxiliaryFields'), barcodeNode(pass))
  shown.style.background = pass.backgroundColor
  shown.style.color = pass.foregroundColor
  target.replaceChildren(shown)
}

/** The back: what Wallet shows behind the three dots. */
export function drawBack(target, phone) {
  const { organizationName, storeCard, locations = [] } = phone.passJson
  const updated = new Date(phone.shownAt).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  const icon = Object.assign(node('img'), { src: imageOf(phone, 'icon') ?? '', alt: '' })
  const title = node('div', 'owner', icon, node('div', '', node('b', '', organizationName), `Updated at ${updated}`))
  const switches = ['Automatic Updates', 'Allow Notifications'].map((name) => node('div', 'switch', name, node('i')))
  const places = locations.map(({ relevantText = '' }) => relevantText.split(' at ').at(-1)).join(', ')
  const rows = [...(storeCard.backFields ?? [])]
  if (places !== '') rows.push({ label: `Lights up near ${locations.length} places`, value: places })
  const fields = rows.map(({ label = '', value }) =>
    node('div', '', node('dt', '', label), node('dd', '', String(value ?? ''))),
  )
  const details = node('div', 'details', title, node('div', 'group', ...switches), node('dl', 'group', ...fields))
  target.replaceChildren(details)
}

/** What stands there before a phone holds a card. */
export function drawNoCard(front, lock) {
  front.replaceChildren(node('div', 'pass ghost', node('p', '', 'The first card comes in a moment')))
  lock.replaceChildren()
}
