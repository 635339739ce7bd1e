import { createGuildhall, type Guild, type Room, roomsOf } from '@guildhall/client'
import { GuildhallProvider, useGuildhall, useLiveStatus, useRooms } from '@guildhall/client/react'
import { createFileRoute } from '@tanstack/react-router'
import { useServerFn } from '@tanstack/react-start'
import { useState, useSyncExternalStore } from 'react'

import { createRoom, readState } from '../guildhall'

/** On the server nothing is asked for by the client: it renders what the loader brought. */
const address = import.meta.env.SSR ? 'http://localhost/' : '/'

const Page = () => {
  const state = Route.useLoaderData()
  const [client] = useState(() => createGuildhall({ url: address, ...(state === null ? {} : { initial: state }) }))
  return (
    <GuildhallProvider client={client}>
      <Voice />
    </GuildhallProvider>
  )
}

const Voice = () => {
  const client = useGuildhall()
  const { phase, complete } = useLiveStatus()
  const guilds = useSyncExternalStore(client.subscribe, () => client.view().picture, () => client.initial.picture)
  if (phase === 'signed-out') return <a href={client.signInUrl('/')}>Sign in with Discord</a>
  return (
    <>
      <p id="state">{complete ? phase : `Not known yet: ${phase}`}</p>
      {[...guilds.values()].map((guild) => (
        <Rooms key={guild.id} guild={guild} />
      ))}
    </>
  )
}

const Rooms = ({ guild }: { guild: Guild }) => {
  const rooms = useRooms(guild.id) ?? roomsOf(guild)
  return (
    <section>
      <h2>{guild.name}</h2>
      <ul>
        {rooms.map((room) => (
          <RoomLine key={room.channelId} room={room} />
        ))}
      </ul>
      <NewRoom guildId={guild.id} />
    </section>
  )
}

const RoomLine = ({ room }: { room: Room }) => (
  <li data-channel-id={room.channelId}>
    {room.name}: {[...room.people.values()].map((person) => person.displayName).join(', ') || 'nobody'}
  </li>
)

const NewRoom = ({ guildId }: { guildId: string }) => {
  const create = useServerFn(createRoom)
  const [said, setSaid] = useState('')
  const submit = async (fields: FormData) => {
    const { room, refused } = await create({ data: { guildId, name: String(fields.get('name')) } }).catch(
      (error: unknown) => ({ room: undefined, refused: String(error) }),
    )
    setSaid(refused ?? `Made: ${room?.channelId}`)
  }
  return (
    <form action={submit}>
      <input name="name" aria-label="Name" maxLength={200} />
      <button>New room</button> <output>{said}</output>
    </form>
  )
}

export const Route = createFileRoute('/')({ loader: () => readState(), component: Page })
