import { createHash } from 'node:crypto'
import type { Context, IngressSettings } from '../context.ts'
import type { Brand } from '../crd/brand.ts'
import { brandLabel, group } from '../crd/meta.ts'
import { domainsOf } from '../domain/domains.ts'
import { header, type IngressObject, ingresses, nameOf } from '../kernel/index.ts'
import { condition, type PartOutcome } from './part.ts'

/** Annotation with the host name that an ingress is for. */
const domainAnnotation = `${group}/domain`
const HASH_CHARS = 10

/**
 * Gives the brand's domain, and those that it had before, an ingress with TLS each; undefined for a brand that never
 * had one. What there is in the cluster says which domains there were: no status need remember it.
 */
export async function domainPart(context: Context, brand: Brand): Promise<PartOutcome | undefined> {
  const { ingress } = context
  if (ingress === undefined) return undefined
  const existing = await listIngresses(context, brand)
  const former = existing.map(domainOf).filter((domain) => domain !== '')
  const domains = domainsOf(brand.spec.domain, former)
  if (domains.length === 0) return undefined
  for (const domain of domains)
    await context.storeOf(brand.metadata.name).apply(ingresses, ingressOf(context, brand, domain, ingress))
  for (const one of existing) if (!domains.includes(domainOf(one))) await context.store.delete(ingresses, nameOf(one))
  const message = `ingress for ${domains.join(', ')}`
  return { conditions: [condition('DomainReady', 'True', 'Routed', message)], status: { domains } }
}

/** Removes all ingresses of a brand. */
export async function removeIngresses(context: Context, brand: Brand): Promise<void> {
  if (context.ingress === undefined) return
  for (const one of await listIngresses(context, brand)) await context.store.delete(ingresses, nameOf(one))
}

/** Newest first. */
async function listIngresses(context: Context, brand: Brand): Promise<readonly IngressObject[]> {
  const labelSelector = `${brandLabel}=${brand.metadata.name}`
  const { items } = await context.store.list(ingresses, { namespace: context.namespace, labelSelector })
  const createdAt = ({ metadata }: IngressObject): string => metadata.creationTimestamp ?? ''
  return items.toSorted((left, right) => (createdAt(left) < createdAt(right) ? 1 : -1))
}

function domainOf({ metadata }: IngressObject): string {
  return metadata.annotations?.[domainAnnotation] ?? ''
}

function ingressOf(context: Context, brand: Brand, domain: string, settings: IngressSettings): IngressObject {
  const hash = createHash('sha256').update(domain).digest('hex').slice(0, HASH_CHARS)
  const name = `${brand.metadata.name}-${hash}`
  const service = { name: settings.serviceName, port: { number: settings.servicePort } }
  const metadata = {
    namespace: context.namespace,
    name,
    labels: { [brandLabel]: brand.metadata.name, 'app.kubernetes.io/managed-by': 'stampede-operator' },
    annotations: { ...settings.annotations, [domainAnnotation]: domain },
  }
  return {
    ...header(ingresses, metadata),
    spec: {
      ...(settings.className !== '' && { ingressClassName: settings.className }),
      tls: [{ hosts: [domain], secretName: `${name}-tls` }],
      rules: [{ host: domain, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] } }],
    },
  }
}
