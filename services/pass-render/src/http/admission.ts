import type { Socket } from 'node:net'
import type { Meters } from '../metrics.ts'
import { Budget } from './budget.ts'

/** Handshakes begun in one turn of the event loop: those under way come first, so that a turn stays short. */
const STARTS_PER_TURN = 8
/** How long a connection may have to wait for its handshake, in seconds: so many wait as are answered in that time. */
export const MAX_WAIT_SECONDS = 1.5
/** Connections that wait at most and at least, whatever the capacity. */
const MAX_WAITING = 1_024
const MIN_WAITING = 32
/** Part of the capacity that is spent on telling phones when to come again; the others are cut off. */
const REFUSED_SHARE = 0.05
/** How long to wait before another look when the signatures are behind, in milliseconds. */
const LOOK_AGAIN_MS = 5

/** What admission decides between. */
export interface AdmissionParts {
  /** Begins the handshake of a phone that will be answered. */
  readonly admit: (socket: Socket) => void
  /** Begins the handshake of a phone that will be told to come again. */
  readonly refuse: (socket: Socket) => void
  /** Whether those inside have enough for now. */
  readonly isBusy: () => boolean
  /** Phones that this process can answer. */
  readonly perSecond: () => number
  readonly meters: Meters
}

/**
 * Decides when the handshake of a new connection begins: it is the dearest part of a phone's visit, and wasted on a
 * phone that cannot be answered in time. Beyond what can be answered some connections wait, some are told when to
 * come again, and all others are cut off before they have cost anything; phones try again by themselves.
 */
export class Admission implements Disposable {
  readonly #parts: AdmissionParts
  #waiting: Socket[] = []
  /** How many at the head of `waiting` had their turn. */
  #served = 0
  #startsInTurn = 0
  #isPlanned = false
  #timer: NodeJS.Timeout | undefined
  readonly #refusals = new Budget()

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /** Connections that wait for their handshake. */
  get length(): number {
    return this.#waiting.length - this.#served
  }

  /** Takes a new connection. */
  arrive(socket: Socket): void {
    if (this.length === 0 && this.#mayStart()) {
      this.#start(socket)
      return
    }
    if (this.length < this.#limit()) {
      // Nobody else listens yet, and an error without a listener ends the process.
      socket.on('error', () => undefined)
      this.#waiting.push(socket)
      this.#parts.meters.connections.inc({ outcome: 'waited' })
      this.#plan()
      return
    }
    if (this.#mayRefuse()) {
      this.#parts.meters.connections.inc({ outcome: 'refused' })
      this.#parts.refuse(socket)
      return
    }
    this.#parts.meters.connections.inc({ outcome: 'cut' })
    // A reset, so that the port of a connection that never was does not linger.
    socket.resetAndDestroy()
  }

  #mayStart(): boolean {
    return this.#startsInTurn < STARTS_PER_TURN && !this.#parts.isBusy()
  }

  #start(socket: Socket): void {
    this.#startsInTurn++
    this.#plan()
    this.#parts.meters.connections.inc({ outcome: 'admitted' })
    this.#parts.admit(socket)
  }

  #limit(): number {
    return Math.min(MAX_WAITING, Math.max(MIN_WAITING, Math.floor(this.#parts.perSecond() * MAX_WAIT_SECONDS)))
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isPlanned = false
    this.#startsInTurn = 0
    while (this.length > 0 && this.#mayStart()) this.#startNext()
    if (this.length === 0) return
    if (this.#startsInTurn > 0) this.#plan()
    else this.#timer ??= setTimeout(() => this.#lookAgain(), LOOK_AGAIN_MS)
  }

  #lookAgain(): void {
    this.#timer = undefined
    this.#plan()
  }

  #startNext(): void {
    const socket = this.#waiting[this.#served++]
    if (this.#served * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#served)
      this.#served = 0
    }
    if (socket !== undefined && !socket.destroyed) this.#start(socket)
  }

  #mayRefuse(): boolean {
    return this.#refusals.take(performance.now(), Math.max(1, this.#parts.perSecond() * REFUSED_SHARE))
  }

  /** Cuts off all that wait. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const socket of this.#waiting.slice(this.#served)) socket.destroy()
    this.#waiting = []
    this.#served = 0
  }
}
