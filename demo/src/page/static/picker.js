// Chooses whose phone is drawn.
import { own } from './api.js'

const find = (id) => document.getElementById(id)

/** Wires the search; `onPick` gets the card, `onError` what went wrong. The result's `offer` fills the list and gives its first cards. */
export function wirePicker(onPick, onError) {
  let offered = []
  let chosen
  let asked = 0
  const offer = async (search) => {
    asked += 1
    const turn = asked
    const cards = await own(`data/cards?search=${encodeURIComponent(search)}`)
    // An answer that a later question overtook would show what nobody asked for.
    if (turn !== asked) return undefined
    find('cards').replaceChildren(...cards.map(({ reference, cardNumber }) => new Option(reference, cardNumber)))
    return cards
  }
  const pick = (card) => {
    chosen = card
    find('search').value = card.cardNumber
    return onPick(card)
  }
  const step = (by) => async () => {
    if (offered.length === 0) offered = (await offer('')) ?? []
    const at = offered.findIndex(({ serial }) => serial === chosen?.serial)
    const card = offered[(at + by + offered.length) % offered.length]
    if (card !== undefined) await pick(card)
  }
  const search = async () => {
    const text = find('search').value.trim()
    const cards = await offer(text)
    if (cards === undefined || text === '') return
    const [card] = cards
    if (card === undefined) {
      find('who').textContent = `no card holds “${text}”`
      return
    }
    offered = cards.length > 1 ? cards : offered
    chosen = card
    await onPick(card)
  }
  const listen = (id, event, run) => find(id).addEventListener(event, () => run().catch(onError))
  listen('search', 'input', search)
  listen('previous', 'click', step(-1))
  listen('next', 'click', step(1))
  return { offer, pick }
}
