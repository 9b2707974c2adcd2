import { JetStreamApiError } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import { StampedeError } from './errors.ts'

/** JetStream's code for a stream that exists with another configuration. */
const streamExists = 10058
/** JetStream's codes for a subject whose last message is another than expected. */
const wrongLastSequence: readonly number[] = [10071, 10164]

/** Anything that the NATS client threw, as a StampedeError; the original is its cause. */
export function fromNats(error: unknown): StampedeError {
  if (error instanceof StampedeError) return error
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError) {
    return new StampedeError('INTERNAL', undefined, { cause: error })
  }
  return new StampedeError('UNAVAILABLE', 'the message broker does not answer right now, try again', { cause: error })
}

/** Whether a stream of that name is there already, only different. */
export function isStreamExists(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === streamExists
}

/** Whether a message was refused because the last one of its subject is another than expected. */
export function isWrongLastSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && wrongLastSequence.includes(error.code)
}

/** Whether publishing fails for this message for good, whatever the state of the server. */
export function isUnpublishable(error: unknown): boolean {
  return error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError
}
