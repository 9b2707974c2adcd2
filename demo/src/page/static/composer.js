// A campaign written on the page and sent through the HTTP side of campaigns.
import { segmentsByKey } from './segments.js'

const pollMs = 500
const deadlineMs = 90_000

/** Wires the form once the services can be reached; `onSent` runs when the phones have come. */
export function wireComposer(form, api, onSent) {
  const output = form.querySelector('output')
  const button = form.querySelector('button')
  offerSegments(form, [])
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    button.disabled = true
    try {
      await send(api, form.elements.text.value, form.elements.segment.value, (line) => {
        output.textContent = line
      })
      await onSent()
    } catch (error) {
      output.textContent = error.message
    }
    button.disabled = false
  })
  button.disabled = false
}

/** Everybody, and the segments of the newest snapshot; what is chosen stays chosen. */
export function offerSegments(form, segments) {
  const { segment: select } = form.elements
  const values = ['all', 'buyers', ...segments]
  if (values.join() === [...select.options].map(({ value }) => value).join()) return
  const { value: chosen } = select
  const names = { all: 'All cards', buyers: 'All buyers' }
  select.replaceChildren(
    ...values.map((value) => new Option(names[value] ?? segmentsByKey[value]?.name ?? value, value)),
  )
  select.value = values.includes(chosen) ? chosen : 'all'
}

async function send(api, text, segment, say) {
  const created = await api.write('campaigns', 'campaigns', {
    idempotencyKey: crypto.randomUUID(),
    name: 'From the page',
    segments: [segment],
    texts: [{ locale: 'en-GB', text }],
  })
  const id = created.campaign.campaignId
  await api.write('campaigns', `campaigns/${id}:start`, { idempotencyKey: crypto.randomUUID() })
  const deadline = Date.now() + deadlineMs
  while (Date.now() < deadline) {
    const { campaign } = await api.read('campaigns', `campaigns/${id}`)
    const { recipients = 0, accepted = 0, fetched = 0 } = campaign.progress ?? {}
    say(`${campaign.status}: ${accepted} of ${recipients} accepted, ${fetched} fetched`)
    const isOver = campaign.status === 'done' && Number(fetched) >= Number(accepted)
    if (isOver || campaign.status === 'aborted') return
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs)
    })
  }
}
