// Peer: @parse/node-apn, one provider per connection, one promise per push. It sends no body at all for an empty
// dictionary, which APNs refuses, so it gets a payload of a few bytes.
import { drive } from './drive.ts'
import { requirePeer } from './installed.ts'
import { pushHeaders, readLoad } from './load.ts'

interface Notification {
  topic: string
  pushType: string
  priority: number
  payload: object
}

interface Provider {
  send(notification: Notification, token: string): Promise<{ readonly sent: readonly unknown[] }>
}

const apn = requirePeer('@parse/node-apn') as {
  readonly Provider: new (options: object) => Provider
  readonly Notification: new () => Notification
}

const load = readLoad()
const options = { address: 'localhost', port: load.port, ca: load.authority, cert: load.cert, key: load.key }
const providers = Array.from({ length: load.connections }, () => new apn.Provider(options))
const notification = new apn.Notification()
notification.topic = pushHeaders['apns-topic']
notification.pushType = pushHeaders['apns-push-type']
notification.priority = 5
notification.payload = { v: 1 }
let turn = 0

await drive(load, (token, done) => {
  turn = (turn + 1) % providers.length
  const provider = providers[turn]
  if (provider === undefined) throw new Error('--connections must be 1 or more')
  provider.send(notification, token).then(
    ({ sent }) => done(sent.length === 1),
    () => done(false),
  )
})
