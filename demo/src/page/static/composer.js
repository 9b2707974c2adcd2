// A campaign written on the page and sent through the HTTP side of campaigns.

/** Wires the form; `onSent` runs after phones had time to come. */
export function wireComposer(form, api, segments, onSent) {
  const options = ['buyers', 'all', ...segments].map((segment) => new Option(segment.replaceAll('_', ' '), segment))
  form.elements.segment.replaceChildren(...options)
  const output = form.querySelector('output')
  const button = form.querySelector('button')
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
  for (;;) {
    const { campaign } = await api.read('campaigns', `campaigns/${id}`)
    const { recipients = 0, accepted = 0, fetched = 0 } = campaign.progress ?? {}
    say(`${campaign.status}: ${accepted} of ${recipients} accepted, ${fetched} fetched`)
    const isOver = campaign.status === 'done' && Number(fetched) >= Number(accepted)
    if (isOver || campaign.status === 'aborted') return
    await new Promise((resolve) => {
      setTimeout(resolve, 500)
    })
  }
}
