import type { Header } from '../request/outcome.ts'

const neededPseudo = [':method', ':scheme', ':authority', ':path']
const connectionNames = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** What is malformed in the headers of a request (RFC 9113 section 8.2 and 8.3). */
export function requestFaults(headers: readonly Header[]): string[] {
  const faults: string[] = []
  const names = headers.map(([name]) => name)
  const pseudo = names.filter((name) => name.startsWith(':'))
  if (pseudo.toSorted().join() !== neededPseudo.toSorted().join()) faults.push(`pseudo headers ${pseudo.join(' ')}`)
  if (names.findLastIndex((name) => name.startsWith(':')) >= pseudo.length) faults.push('a pseudo header after others')
  for (const [name, value] of headers) {
    if (!/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) faults.push(`header name ${name}`)
    if (connectionNames.has(name)) faults.push(`header ${name}`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for (RFC 9113 section 8.2.1)
    if (/[\x00\r\n]|^[ \t]|[ \t]$/.test(value)) faults.push(`value of ${name}`)
  }
  return faults
}
