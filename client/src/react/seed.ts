/** Hooks by the names that earlier versions of the page had. */

import { type GuildEventName, type Person, roomIn, type Listener } from '../index.js'
import { useGuildhallEvent } from './hooks.js'
import { useGuildhall } from './provider.js'
import { useSelection } from './selection.js'

export interface DiscordEvents {
  readonly onVoiceJoined?: Listener<'voice.joined'> | undefined
  readonly onVoiceLeft?: Listener<'voice.left'> | undefined
  readonly onVoiceUpdated?: Listener<'voice.updated'> | undefined
  readonly onRoomCreated?: Listener<'room.created'> | undefined
  readonly onRoomUpdated?: Listener<'room.updated'> | undefined
  readonly onRoomDeleted?: Listener<'room.deleted'> | undefined
}

/** Calls what is given for each event. Which are given may change, how many there are does not. */
export const useDiscordEventStream = (events: DiscordEvents): void => {
  useOptional('voice.joined', events.onVoiceJoined)
  useOptional('voice.left', events.onVoiceLeft)
  useOptional('voice.updated', events.onVoiceUpdated)
  useOptional('room.created', events.onRoomCreated)
  useOptional('room.updated', events.onRoomUpdated)
  useOptional('room.deleted', events.onRoomDeleted)
}

const useOptional = <Name extends GuildEventName>(name: Name, listener: Listener<Name> | undefined): void =>
  useGuildhallEvent(name, (payload) => listener?.(payload))

const noPeople: readonly Person[] = []
const lists = new WeakMap<object, readonly Person[]>()

/** Who is in a room; nobody also where that is not known: `useLiveStatus` tells which. */
export const useVoiceChannelMembers = (channelId: string): readonly Person[] =>
  useSelection(useGuildhall(), (view) => {
    const people = roomIn(view.picture, channelId)?.people
    if (people === undefined) return noPeople
    const list = lists.get(people) ?? [...people.values()]
    lists.set(people, list)
    return list
  })

export { useVoiceChannelMembers as useVoiceChannelMembersFromSSE }
