// A pass as Wallet lays it out, and the lock screen, from what the sandbox phone holds.

function node(tag, className, ...children) {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children)
  return made
}

function imageOf(phone, ...names) {
  const name = names.find((candidate) => phone.images?.[candidate])
  return name === undefined ? undefined : `data:image/png;base64,${phone.images[name]}`
}

function fieldNode(field, labelColor) {
  const label = node('small', '', field.label ?? '')
  label.style.color = labelColor
  const value = typeof field.value === 'number' ? field.value.toLocaleString('en-GB') : (field.value ?? '')
  return node('div', 'field', label, node('b', '', value))
}

function barcodeNode(pass) {
  const barcode = pass.barcodes?.[0]
  if (barcode === undefined) return ''
  const format = barcode.format.replace('PKBarcodeFormat', '').toLowerCase()
  const image = node('img')
  image.alt = 'barcode'
  image.src = `barcode.svg?format=${format}&text=${encodeURIComponent(barcode.message)}`
  return node(
    'div',
    format === 'code128' || format === 'pdf417' ? 'code' : 'code square',
    image,
    barcode.altText ?? barcode.message,
  )
}

/** The front of the card. */
export function drawFront(target, phone) {
  const pass = phone.passJson
  const card = pass.storeCard
  const fields = (group) => (card[group] ?? []).map((field) => fieldNode(field, pass.labelColor))
  const logo = node('div', 'logo')
  const logoSource = imageOf(phone, 'logo@2x.png', 'logo.png')
  if (logoSource) logo.append(Object.assign(node('img'), { src: logoSource, alt: '' }))
  logo.append(node('span', '', pass.logoText ?? ''))
  const strip = node('div', 'strip', ...fields('primaryFields'))
  const stripSource = imageOf(phone, 'strip@2x.png', 'strip.png')
  if (stripSource) strip.style.backgroundImage = `url(${stripSource})`
  const shown = node(
    'div',
    'pass',
    node('div', 'top', logo, ...fields('headerFields')),
    strip,
    node('div', 'rowed', ...fields('secondaryFields'), ...fields('auxiliaryFields')),
    barcodeNode(pass),
  )
  shown.style.background = pass.backgroundColor
  shown.style.color = pass.foregroundColor
  target.replaceChildren(node('h3', '', 'Wallet'), shown)
}

/** The back of the card. */
export function drawBack(target, phone) {
  const list = node('dl')
  for (const { label, value } of phone.passJson.storeCard.backFields ?? [])
    list.append(node('dt', '', label ?? ''), node('dd', '', String(value ?? '')))
  const places = (phone.passJson.locations ?? []).length
  list.append(node('dt', '', 'Near this card'), node('dd', '', `${places} places light it up on the lock screen`))
  target.replaceChildren(node('h3', '', 'Details'), node('div', 'back', list))
}

/** The lock screen with the newest messages. */
export function drawLock(target, phone) {
  const now = new Date()
  const icon = imageOf(phone, 'icon@3x.png', 'icon@2x.png', 'icon.png')
  const stack = node('div', 'stack')
  const newest = [...(phone.notifications ?? [])].sort((a, b) => b.at - a.at).slice(0, 3)
  for (const { at, text } of newest) {
    const when = node('time', '', new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }))
    const head = node('header', '', phone.passJson.organizationName, when)
    stack.append(
      node(
        'div',
        'notice',
        Object.assign(node('img'), { src: icon ?? '', alt: '' }),
        node('div', '', head, node('p', '', text)),
      ),
    )
  }
  if (newest.length === 0) stack.append(node('p', 'empty', 'no messages yet'))
  target.replaceChildren(
    node('div', 'day', now.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })),
    node('div', 'clock', now.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })),
    stack,
    node('div', 'home'),
  )
}
