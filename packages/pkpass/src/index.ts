export { buildPass, MAX_PASS_JSON_BYTES, type PassFiles, PKPASS_CONTENT_TYPE } from './build.ts'
export { PASS_SIGNING_USAGE, PASS_TYPE_EXTENSION, type PassCertificateInfo } from './certificate.ts'
export { PkpassError, type PkpassErrorCode } from './errors.ts'
export {
  MAX_IMAGE_BYTES,
  MAX_IMAGE_PIXELS,
  MAX_IMAGES,
  MAX_IMAGES_BYTES,
  type PreparedImages,
  prepareImages,
} from './images.ts'
export type {
  BarcodeFormat,
  DataDetectorType,
  DateStyle,
  NumberStyle,
  PassBarcode,
  PassBeacon,
  PassField,
  PassFields,
  PassJson,
  PassLocation,
  TextAlignment,
} from './pass-json.ts'
export { type ReadPass, readPass } from './read.ts'
export { createSigner, type Signer, type SignerInput } from './signer.ts'
export {
  MAX_BARCODES,
  MAX_BEACONS,
  MAX_LOCATIONS,
  MIN_AUTHENTICATION_TOKEN_CHARS,
  validatePassJson,
} from './validate.ts'
export { FIELD_LIMITS, MAX_BACK_FIELDS } from './validate-fields.ts'
export { SIGNING_TIME_SKEW_MS, type VerifiedPass, verifyPass } from './verify.ts'
export { MAX_BUNDLE_BYTES, MAX_BUNDLE_FILES, MAX_UNPACKED_BYTES } from './zip.ts'
