import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runQuietly } from '../lib/suites.ts'
import { findGo, type ToolName } from './find.ts'
import { buildModule, kubernetesModule, kubernetesPackages, kubernetesVersion, versionFlags } from './kubernetes.ts'

/** How one program is made. */
export interface Recipe {
  readonly tool: ToolName
  /** Changes when the program has to be made anew. */
  readonly version: string
  readonly needs: 'Go' | 'apt-get'
  /** Puts the program into an empty folder; throws with the output of the command that failed. */
  readonly make: (folder: string) => Promise<void>
}

/** Of one command: six times what the slowest takes on two idle cores with nothing cached. */
const deadlineMs = 20 * 60_000

/** All programs of `npm run tools`, in the order in which they are made. */
export const recipes: readonly Recipe[] = [
  kubernetes('etcd'),
  kubernetes('kube-apiserver'),
  goInstall('helm', 'helm.sh/helm/v4/cmd/helm', '4.3.1', '-X helm.sh/helm/v4/internal/version.version=v4.3.1'),
  goInstall('k6', 'go.k6.io/k6', '1.8.1'),
  // Its module holds replace lines, with which `go install` does not work; Debian's is a release behind and will do.
  { tool: 'promtool', version: 'debian', needs: 'apt-get', make: promtool },
]

function kubernetes(tool: keyof typeof kubernetesPackages): Recipe {
  return {
    tool,
    version: kubernetesVersion,
    needs: 'Go',
    make: async (folder) => {
      const found = JSON.parse(await go(['mod', 'download', '-json', kubernetesModule])) as { readonly GoMod: string }
      writeFileSync(join(folder, 'go.mod'), buildModule(readFileSync(found.GoMod, 'utf8')))
      const flags = ['-mod=mod', '-ldflags', `-s -w ${versionFlags()}`, '-o', join(folder, tool)]
      await go(['-C', folder, 'build', ...flags, kubernetesPackages[tool]])
    },
  }
}

function goInstall(tool: ToolName, path: string, version: string, linkerFlags = ''): Recipe {
  return {
    tool,
    version,
    needs: 'Go',
    make: async (folder) => {
      await go(['install', '-ldflags', `-s -w ${linkerFlags}`, `${path}@v${version}`], { GOBIN: folder })
    },
  }
}

/** Out of Debian's package without installing it, which would start a server. */
async function promtool(folder: string): Promise<void> {
  const fetch = 'cd "$0" && apt-get download -qq prometheus && dpkg -x prometheus_*.deb . && mv usr/bin/promtool .'
  // Without package lists the first try fails; only root can get them.
  if ((await runQuietly('sh', ['-c', fetch, folder])).exitCode === 0) return
  await run('sh', ['-c', `apt-get update -qq && ${fetch}`, folder])
}

/** Runs Go free of what the user has set for projects of their own, and without a C compiler. */
function go(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return run(findGo() ?? 'go', args, { ...process.env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0', ...env })
}

async function run(command: string, args: readonly string[], env = process.env): Promise<string> {
  const { exitCode, output } = await runQuietly(command, args, env, deadlineMs)
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${exitCode}:\n${output}`)
  return output
}
