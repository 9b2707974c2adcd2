import type { IncomingMessage } from 'node:http'
import type { Context } from '../context.ts'
import { googleSaveUrl, googleTemplateOf } from '../google-save.ts'
import { findPassByOwner } from '../store/passes.ts'
import { type Answer, empty, missing } from './answer.ts'

const applePhone = /\b(?:iPhone|iPad|iPod|Macintosh)\b/
const androidPhone = /\bAndroid\b/

/** GET of the address that fits either phone: the right wallet's, or a page with both. */
export async function installPage(context: Context, request: IncomingMessage, token: string): Promise<Answer> {
  const grant = context.secrets.openInstallToken(token)
  const brand = grant === undefined ? undefined : context.brands.get(grant.brand)
  if (grant === undefined || brand === undefined) return missing
  const record = await findPassByOwner(context.database, grant.brand, grant.memberId)
  if (record === undefined || record.state.member.status !== 'active') return missing
  const apple = `${context.webUrl(grant.brand)}/i/${token}`
  const template = await googleTemplateOf(context.designs, record)
  const google = await googleSaveUrl(context.credentials, brand, template, record)
  const agent = request.headers['user-agent'] ?? ''
  if (applePhone.test(agent)) return redirect(apple)
  if (androidPhone.test(agent) && google !== '') return redirect(google)
  return page(brand.name, apple, google)
}

/** An answer that leads elsewhere and is asked for again each time: the address is a secret. */
export function redirect(location: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return empty(302, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', ...headers })
}

function page(name: string, apple: string, google: string): Answer {
  const title = escapeHtml(name)
  const links = [
    `<p><a href="${escapeHtml(apple)}">Apple Wallet</a></p>`,
    ...(google === '' ? [] : [`<p><a href="${escapeHtml(google)}">Google Wallet</a></p>`]),
  ]
  const html = `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>body{font:18px system-ui;margin:15vh auto;max-width:20em;text-align:center}
a{display:block;padding:.8em;border-radius:.6em;background:#111;color:#fff;text-decoration:none}</style></head>
<body><h1>${title}</h1>${links.join('\n')}</body></html>`
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
    body: [Buffer.from(html)],
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
