import { connect, own } from './api.js'
import { wireComposer } from './composer.js'
import { showBoard } from './dashboard.js'
import { drawBack, drawFront, drawLock } from './phone.js'

const find = (id) => document.getElementById(id)
const status = find('status')
let phone
let serial
let isBack = false

function drawPhone() {
  if (phone === undefined) return
  if (isBack) drawBack(find('wallet'), phone)
  else drawFront(find('wallet'), phone)
  drawLock(find('lock'), phone)
}

async function showPhone(chosen) {
  serial = chosen
  phone = await own(`data/phones/${serial}`)
  drawPhone()
}

async function offerCards(search) {
  const cards = await own(`data/cards?search=${encodeURIComponent(search)}`)
  find('cards').replaceChildren(...cards.map((card) => new Option(card.reference, card.cardNumber)))
  return cards
}

async function search() {
  const text = find('search').value.trim()
  const cards = await offerCards(text)
  const [card] = text === '' ? [] : cards
  if (card !== undefined) await showPhone(card.serial)
}

async function main() {
  const session = await own('data/session')
  const story = await own('data/story')
  find('brand').textContent = session.brand
  const api = connect(session)
  find('search').addEventListener('input', () => {
    search().catch(report)
  })
  find('flip').addEventListener('click', () => {
    isBack = !isBack
    drawPhone()
  })
  const [first] = await offerCards('')
  if (first !== undefined) {
    find('search').value = first.cardNumber
    await showPhone(first.serial)
  }
  const segments = await showBoard(api, session, story)
  wireComposer(find('composer'), api, segments, async () => {
    await showPhone(serial)
    await showBoard(api, session, story)
  })
  status.textContent = `figures of ${new Date().toLocaleTimeString('en-GB')}`
  document.body.dataset.ready = 'true'
}

function report(error) {
  status.textContent = error.message
}

main().catch(report)
