// The lock screen: the newest texts that a pass brought, and the time.
import { imageOf, node } from './card.js'

const shownMax = 3

function ago(at) {
  const minutes = Math.floor((Date.now() - at) / 60_000)
  if (minutes < 1) return 'now'
  if (minutes < 60) return `${minutes}m ago`
  return new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

/** The newest messages, newest on top. */
export function drawLock(target, phone) {
  const texts = [...(phone.notifications ?? [])].sort((a, b) => b.at - a.at)
  const notices = texts.slice(0, shownMax).map(({ at, text }) => {
    const icon = Object.assign(node('img'), { src: imageOf(phone, 'icon') ?? '', alt: '' })
    const head = node('div', 'from', node('b', '', phone.passJson.organizationName), node('time', '', ago(at)))
    return node('div', 'notice', icon, node('div', '', head, node('p', '', text)))
  })
  const more = texts.length - notices.length
  if (more > 0) notices.push(node('p', 'more', `and ${more} earlier`))
  if (texts.length === 0) notices.push(node('p', 'more', 'no messages yet'))
  target.replaceChildren(...notices)
}

/** Sets every clock of the two phones. */
export function showTime() {
  const now = new Date()
  const time = now.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  for (const clock of document.querySelectorAll('.statusbar time, .clock')) clock.textContent = time
  document.querySelector('.today').textContent = now.toLocaleDateString('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
  })
}
