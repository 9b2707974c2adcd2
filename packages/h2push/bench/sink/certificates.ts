import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** PEM files of a throw-away authority, a server for `localhost` and two clients. */
export interface Certificates extends Disposable {
  readonly authority: string
  readonly server: CertificateFiles
  readonly clients: readonly [CertificateFiles, CertificateFiles]
}

/** One certificate, its key, and its serial number as the sink's `stats` tell it. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
  readonly serial: string
}

/** Makes them with the `openssl` command in a folder of their own. Throws with its words when it fails. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'h2push-bench-'))
  const at = (name: string): string => join(folder, name)
  makeKey(at('authority.key'))
  const request = ['req', '-x509', '-new', '-days', '7', '-key', at('authority.key'), '-subj', '/CN=Bench authority']
  openssl([...request, '-out', at('authority.pem')])
  writeFileSync(at('extensions'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const issue = (name: string, serial: string): CertificateFiles => {
    const files = { cert: at(`${name}.pem`), key: at(`${name}.key`), serial }
    makeKey(files.key)
    openssl(['req', '-new', '-key', files.key, '-subj', `/CN=${name}`, '-out', at('request')])
    const authority = ['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-extfile', at('extensions')]
    const terms = ['-days', '7', '-set_serial', `0x${serial}`]
    openssl(['x509', '-req', '-in', at('request'), ...authority, ...terms, '-out', files.cert])
    return files
  }
  return {
    authority: at('authority.pem'),
    server: issue('localhost', '01'),
    clients: [issue('first-client', '02'), issue('second-client', '03')],
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** In PKCS#8, the one form that every peer reads. */
function makeKey(file: string): void {
  openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file])
}

function openssl(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`)
}
