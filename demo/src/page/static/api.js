// The page's two sources: its own server, and the services' JSON over HTTP with the marketer's key.

/** JSON from the page's own server. */
export async function own(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.json()
}

/** Binds the services to a brand and its key. */
export function connect(setup) {
  const call = async (service, method, path, body) => {
    const response = await fetch(`${setup.services[service]}/v1/brands/${setup.brand}/${path}`, {
      method,
      headers: { authorization: `Bearer ${setup.key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(answer.error?.message ?? `${service}: ${response.status}`)
    return answer
  }
  return {
    read: (service, path) => call(service, 'GET', path),
    write: (service, path, body) => call(service, 'POST', path, body),
  }
}

/** 12345 as 12,345; also for 64-bit numbers, which come as text. */
export function count(value) {
  return Number(value ?? 0).toLocaleString('en-GB')
}

/** Minor units as money. */
export function money(minor, currency, compact = false) {
  const style = { style: 'currency', currency, ...(compact && { notation: 'compact', maximumFractionDigits: 1 }) }
  return (Number(minor ?? 0) / 100).toLocaleString('en-GB', style)
}
