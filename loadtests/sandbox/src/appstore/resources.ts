import type { Certificate, PassType } from './store.ts'

/** A certificate as JSON:API shows it. */
export function showCertificate(base: string, certificate: Certificate, name: string): object {
  const { id, serialNumber, certificateType, content, expirationDate } = certificate
  return {
    type: 'certificates',
    id,
    attributes: {
      serialNumber,
      certificateContent: content,
      displayName: name,
      name: `Pass Type ID: ${name}`,
      csrContent: null,
      platform: null,
      expirationDate,
      certificateType,
      activated: true,
    },
    links: { self: `${base}/v1/certificates/${id}` },
  }
}

/** A pass type id as JSON:API shows it. */
export function showPassType(base: string, { id, identifier, name }: PassType): object {
  return {
    type: 'passTypeIds',
    id,
    attributes: { name, identifier },
    relationships: { certificates: { links: { related: `${base}/v1/passTypeIds/${id}/certificates` } } },
    links: { self: `${base}/v1/passTypeIds/${id}` },
  }
}
