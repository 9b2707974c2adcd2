import { HpackEncoder } from '../hpack/encoder.ts'
import { encodeBlock } from '../hpack/testing/headers.ts'
import type { RequestBlock } from '../request/block.ts'
import type { Header } from '../request/outcome.ts'
import type { SessionOptions } from '../session/core.ts'
import { headersFrame, plainSettings, type SettingEntry, settingsAckFrame, settingsFrame } from './frame-writer.ts'
import { pushBlock, pushTemplate } from './pushes.ts'
import { SessionRig } from './session-rig.ts'

/** A session that has written a block of requests, on the streams 1, 3 and so on. */
export interface Opened {
  readonly rig: SessionRig
  readonly block: RequestBlock
}

const template = pushTemplate()

/** Opens a session with `count` requests on the wire; what it has written is taken. */
export function opened(
  count: number,
  options: { readonly settings?: readonly SettingEntry[]; readonly session?: Partial<SessionOptions> } = {},
): Opened {
  const rig = new SessionRig(options.session)
  rig.feed(options.settings === undefined ? plainSettings : settingsFrame(options.settings))
  rig.feed(settingsAckFrame)
  const block = pushBlock(template, 0, count)
  rig.submit(block)
  rig.take()
  return { rig, block }
}

/** Header block of a response in literals, which needs no table. */
export function literals(status: string, headers: readonly Header[] = []): Uint8Array {
  return encodeBlock(new HpackEncoder(), [[':status', status], ...headers], 'literal')
}

/** The plainest response: 200 and an id. */
export function plainAnswer(streamId: number, apnsId = `ID-${streamId}`): Buffer {
  return headersFrame(streamId, literals('200', [['apns-id', apnsId]]), true)
}
