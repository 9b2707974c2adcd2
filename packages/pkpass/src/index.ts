export {
  MAX_IMAGE_BYTES,
  MAX_IMAGES,
  MAX_IMAGES_BYTES,
  MAX_LANGUAGE_TEXTS,
  MAX_LANGUAGES,
  type PreparedAssets,
  prepareAssets,
  type Texts,
} from './assets.ts'
export {
  buildPass,
  buildPassChunks,
  MAX_PASS_JSON_BYTES,
  type PassFiles,
  PKPASS_CONTENT_TYPE,
} from './build.ts'
export { bundlePasses, MAX_BUNDLED_PASSES, PKPASSES_CONTENT_TYPE } from './bundle.ts'
export { PASS_SIGNING_USAGE, PASS_TYPE_EXTENSION, type PassCertificateInfo } from './certificate.ts'
export { PkpassError, type PkpassErrorCode } from './errors.ts'
export type {
  BarcodeFormat,
  DataDetectorType,
  DateStyle,
  FeaturedAction,
  FeaturedActionType,
  NumberStyle,
  PassBarcode,
  PassBeacon,
  PassField,
  PassFields,
  PassJson,
  PassLocation,
  PassNfc,
  RelevantDate,
  Semantics,
  TextAlignment,
} from './pass-json.ts'
export { type ReadPass, readPass } from './read.ts'
export { createSigner, type Signer, type SignerInput } from './signer.ts'
export { MAX_BUNDLE_FILES, MAX_UNPACKED_BYTES } from './unzip.ts'
export {
  MAX_BEACONS,
  MAX_FEATURED_ACTIONS,
  MAX_LOCATIONS,
  MAX_RELEVANT_DATES,
  MAX_USER_INFO_CHARS,
  MIN_AUTHENTICATION_TOKEN_CHARS,
  validatePassJson,
} from './validate.ts'
export { MAX_BARCODES } from './validate-barcodes.ts'
export { FIELD_LIMITS, MAX_BACK_FIELDS } from './validate-fields.ts'
export { MAX_NFC_MESSAGE_BYTES } from './validate-nfc.ts'
export { SIGNING_TIME_SKEW_MS, type VerifiedPass, verifyPass } from './verify.ts'
export { MAX_BUNDLE_BYTES } from './zip.ts'
