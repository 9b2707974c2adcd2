import { AnswerKind, type ApnsTransport, type Lane } from '../apns/transport.ts'

/** Told how many pushes of a batch APNs answered, `bad` of them with BadDeviceToken. */
export type AnswerListener = (brand: string, lane: Lane, answers: number, bad: number) => void

/** The same transport, with somebody looking on. Costs a look at one byte per push. */
export function watchAnswers(transport: ApnsTransport, answered: AnswerListener): ApnsTransport {
  return {
    send: async (batch) => {
      const all = await transport.send(batch)
      let answers = 0
      for (const kind of all.kinds) if (kind === AnswerKind.answered) answers += 1
      let bad = 0
      for (const { reason } of all.details.values()) if (reason === 'BadDeviceToken') bad += 1
      if (answers > 0) answered(batch.brand, batch.lane, answers, bad)
      return all
    },
    stop: (brand, reason) => transport.stop(brand, reason),
    stopped: (brand) => transport.stopped(brand),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}
