export { NfcError, type NfcErrorCode } from './nfc-error.ts'
export { type Collector, SmartTapReader } from './smart-tap.ts'
export { type RegisteredCollector, type SavedObject, SmartTapPhone } from './smart-tap-phone.ts'
export { answerVas, readVas, type VasPass, type VasReading, vasRequest } from './vas.ts'
