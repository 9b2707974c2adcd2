export { type ClassParts, googleClassJson } from './class-json.ts'
export {
  type GoogleTemplate,
  googleClassId,
  googleObjectId,
  googleObjectSerial,
  type PassType,
  passTypeOf,
} from './ids.ts'
export { googleObjectJson, type ObjectParts } from './object-json.ts'
