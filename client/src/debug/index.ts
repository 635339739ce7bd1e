/**
 * `@guildhall/client/debug`: what a client hears, as lines for people who look for a fault.
 *
 * A door of its own, so that an app that logs nothing carries nothing of it.
 */

import { type Guildhall, type GuildEventName, type Payload, type Phase, type Picture, roomIn, type Stop, type View } from '../index.js'

type Line<Name extends GuildEventName> = (data: Payload<Name>, before: Picture, now: Picture) => string

const STREAM = '[Discord Events]'
const MEMBERS = '[VoiceChannelMembers]'

const guildOf = ({ guildId }: { readonly guildId: string }, ...pictures: readonly Picture[]): string =>
  pictures.map((picture) => picture.get(guildId)?.name).find((name) => name !== undefined) ?? guildId
const roomOf = ({ channelId }: { readonly channelId: string }, ...pictures: readonly Picture[]): string =>
  pictures.map((picture) => roomIn(picture, channelId)?.name).find((name) => name !== undefined) ?? channelId

/** A line for each event. Of what is gone the picture from before knows the name. */
const lines: { readonly [Name in GuildEventName]: Line<Name> } = {
  'voice.joined': ({ displayName }) => `${MEMBERS} Member joined: ${displayName}`,
  'voice.updated': ({ displayName }) => `${MEMBERS} Member updated: ${displayName}`,
  'voice.left': ({ previousChannelId, userId }, before) =>
    `${MEMBERS} Member left: ${roomIn(before, previousChannelId)?.people.get(userId)?.displayName ?? userId}`,
  'room.created': ({ name }) => `${STREAM} Room created: ${name}`,
  'room.updated': ({ name }) => `${STREAM} Room updated: ${name}`,
  'room.deleted': (data, before) => `${STREAM} Room deleted: ${roomOf(data, before)}`,
  'room.shown': ({ name }) => `${STREAM} Room shown: ${name}`,
  'room.hidden': (data, before) => `${STREAM} Room hidden: ${roomOf(data, before)}`,
  'room.idle': (data, before, now) =>
    `${STREAM} Room ${data.deletesAt === null ? 'in use' : 'unused'}: ${roomOf(data, now, before)}`,
  'guild.available': (data, before, now) => `${STREAM} Guild available: ${guildOf(data, now, before)}`,
  'guild.unavailable': (data, before, now) => `${STREAM} Guild unavailable: ${guildOf(data, now, before)}`,
  'guild.updated': ({ name }) => `${STREAM} Guild updated: ${name}`,
  'guild.removed': (data, before) => `${STREAM} Guild removed: ${guildOf(data, before)}`,
  gap: (data, before, now) => `${STREAM} Events of ${guildOf(data, now, before)} may be missing`,
}

const phases: Readonly<Record<Phase, string>> = {
  idle: 'SSE stream closed',
  connecting: 'Connecting to SSE stream...',
  live: 'SSE connection established',
  'catching-up': 'Connecting to SSE stream...',
  stale: 'SSE connection lost',
  offline: 'SSE connection lost',
  'signed-out': 'Signed out',
  ended: 'SSE stream closed',
}

/** What needs no reason: it is as it should be. */
const asPlanned: readonly Phase[] = ['connecting', 'live', 'idle']

/**
 * Logs each step of the stream and each event, until what is returned is called: `logEvents(client, console.log)`.
 * It reads like anybody else, so the stream is open meanwhile. A snapshot brings no lines, as it brings no events.
 */
export const logEvents = (client: Pick<Guildhall, 'view' | 'subscribe' | 'on'>, log: (line: string) => void): Stop => {
  let before: View = client.view()
  let told: Phase = 'idle'
  const look = (): void => {
    before = client.view()
    const { phase, reason } = before.status
    if (phase === told) return
    told = phase
    log(`${STREAM} ${phases[phase]}${asPlanned.includes(phase) ? '' : ` (${reason})`}`)
  }
  const follow = <Name extends GuildEventName>(name: Name): Stop =>
    client.on(name, (data) => log(lines[name](data, before.picture, client.view().picture)))
  const stops = [client.subscribe(look), ...(Object.keys(lines) as GuildEventName[]).map((name) => follow(name))]
  look()
  return () => {
    for (const stop of stops) stop()
  }
}
