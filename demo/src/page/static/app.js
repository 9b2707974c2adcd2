import { connect, own } from './api.js'
import { drawBack, drawFront, drawNoCard, node } from './card.js'
import { offerSegments, wireComposer } from './composer.js'
import { showBoard } from './dashboard.js'
import { drawLock, showTime } from './lock.js'
import { wirePicker } from './picker.js'
import { segmentsByKey } from './segments.js'

const whileToldMs = 1_500
const onceToldMs = 5_000

const find = (id) => document.getElementById(id)
const picker = wirePicker(showCard, report)
let setup = { key: '' }
let api
let card
let score
let drawnPhone = ''

async function showCard(chosen) {
  card = chosen
  const [phone, known] = await Promise.all([
    own(`data/phones/${chosen.serial}`).catch(() => undefined),
    api.read('analytics', `members/${chosen.memberId}/score`).catch(() => undefined),
  ])
  if (card !== chosen) return
  score = known
  if (phone === undefined) {
    // Passes are there before phones install them.
    card = undefined
    return
  }
  tellWho(phone)
  const { passJson, notifications } = phone
  const key = JSON.stringify([chosen.serial, passJson, notifications, new Date().getMinutes()])
  if (key === drawnPhone) return
  drawnPhone = key
  drawFront(find('front'), phone)
  drawBack(find('back'), phone)
  drawLock(find('lock'), phone)
}

function tellWho({ passJson }) {
  const { secondaryFields = [], auxiliaryFields = [] } = passJson.storeCard
  const name = [...secondaryFields, ...auxiliaryFields].find(({ key }) => key === 'name')?.value
  const { segment, r, f, m } = score ?? {}
  const { name: title = segment, color } = segmentsByKey[segment] ?? {}
  const parts = [node('b', '', name || card.reference), name ? card.reference : '']
  if (segment !== undefined) {
    const chip = node('span', 'chip', r ? `${title} · R${r} F${f} M${m}` : title)
    chip.style.setProperty('--tone', color)
    parts.push(chip)
  }
  const made = node('p', '', ...parts)
  // Said aloud at each change: so only when something is new.
  if (made.textContent !== find('who').textContent) find('who').replaceChildren(...made.childNodes)
}

/** Looks again at everything; gives true once the story is told. */
async function look() {
  const story = await own('data/story')
  if (setup.key === '') await begin()
  find('status').textContent = story.isTold
    ? `brand “${setup.brand}” · figures of ${new Date().toLocaleTimeString('en-GB')}`
    : `the story goes on: ${story.chapter}…`
  document.body.dataset.story = story.isTold ? 'told' : 'going on'
  if (api === undefined) return false
  await showSomeCard()
  offerSegments(find('composer'), await showBoard(api, setup.currency, story, score))
  if (card !== undefined) document.body.dataset.ready = 'true'
  return story.isTold
}

async function begin() {
  setup = await own('data/setup')
  find('docs').replaceChildren('JSON over HTTP: ')
  for (const [name, base] of setup.docs)
    find('docs').append(Object.assign(document.createElement('a'), { href: `${base}/openapi.json`, textContent: name }))
  if (setup.key === '') return
  api = connect(setup)
  wireComposer(find('composer'), api, () => showCard(card))
}

async function showSomeCard() {
  if (card !== undefined) return showCard(card)
  if (document.activeElement === find('search')) return
  const [first] = (await picker.offer('')) ?? []
  if (first !== undefined) await picker.pick(first)
}

function report(error) {
  find('status').textContent = error.message
}

find('flip').addEventListener('click', () => {
  const isBack = find('faces').classList.toggle('turned')
  find('flip').setAttribute('aria-pressed', String(isBack))
  find('front').inert = isBack
  find('back').inert = !isBack
})
find('back').inert = true
drawNoCard(find('front'), find('lock'))
showTime()

async function watch() {
  for (;;) {
    const isTold = await look().catch(report)
    showTime()
    await new Promise((resolve) => {
      setTimeout(resolve, isTold ? onceToldMs : whileToldMs)
    })
  }
}

void watch()
