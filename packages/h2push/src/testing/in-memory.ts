import type { Random } from '../hpack/testing/random.ts'
import type { Ledger } from './ledger.ts'
import { NastyPeer, type Temper } from './nasty-peer.ts'
import type { SessionRig } from './session-rig.ts'

/** Turns without any progress after which a run counts as stuck; a long body over a small window takes many. */
const STUCK_TURNS = 2_000

/** A peer and the bytes on their way from it, next to a session without a socket. */
export class InMemoryPeer {
  readonly peer: NastyPeer
  readonly #rig: SessionRig
  readonly #random: Random
  #toClient: Buffer = Buffer.alloc(0)
  #end: 'close' | 'reset' | undefined

  constructor(rig: SessionRig, random: Random, temper: Temper, ledger: Ledger) {
    this.#rig = rig
    this.#random = random
    this.peer = new NastyPeer(random, temper, ledger, {
      write: (bytes) => {
        this.#toClient = Buffer.concat([this.#toClient, bytes])
      },
      end: (how) => {
        this.#end = how
      },
    })
  }

  /** Plays until `isOver`, or the connection has ended; throws when nothing moves any more. */
  play(isOver: () => boolean): void {
    const rig = this.#rig
    let progress = ''
    for (let still = 0; !isOver() && rig.session.state !== 'ended'; still += 1) {
      const { live, answered, unknown } = rig.session
      const now = `${rig.source.queued} ${live} ${answered} ${unknown}`
      if (now !== progress) still = 0
      progress = now
      if (still > STUCK_TURNS) throw new Error(`stuck: ${now} requests wait, are open, answered, unknown`)
      this.peer.receive(rig.take())
      this.peer.step()
      this.#deliver()
      if (this.#random.once(3)) rig.release()
      rig.session.tick()
    }
  }

  /** All that is on its way arrives; returns how much the client has left unanswered then. */
  settle(): number {
    this.#rig.feed(this.#toClient)
    this.#toClient = Buffer.alloc(0)
    this.peer.receive(this.#rig.take())
    return this.peer.judge.unanswered
  }

  #deliver(): void {
    const random = this.#random
    const isLost = this.#end === 'reset' && random.once(2)
    const all = this.#toClient
    const length = this.#end === 'close' || random.once(2) ? all.length : random.below(all.length + 1)
    this.#toClient = all.subarray(length)
    this.#rig.feed(isLost ? all.subarray(0, random.below(length + 1)) : all.subarray(0, length))
    if (this.#end !== undefined && (this.#toClient.length === 0 || isLost))
      this.#rig.session.abort(0, 'closed by the peer')
  }
}
