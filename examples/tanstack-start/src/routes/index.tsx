import { createGuildhall, type Guild, type Room, roomsOf, type State } from '@guildhall/client'
import { GuildhallProvider, useGuildhall, useLiveStatus, useRooms } from '@guildhall/client/react'
import { createFileRoute, useRouter } from '@tanstack/react-router'
import { useServerFn } from '@tanstack/react-start'
import { useState, useSyncExternalStore } from 'react'

import { createRoom, readState } from '../guildhall'
import { signIn, vouch, whoAmI } from '../login'

/** On the server nothing is asked for by the client: it renders what the loader brought. */
const address = import.meta.env.SSR ? 'http://localhost/' : '/'

const Page = () => {
  const { userId, state } = Route.useLoaderData()
  return userId === null ? <SignIn /> : <Live key={userId} state={state} />
}

const Live = ({ state }: { state: State | null }) => {
  const auth = useServerFn(vouch)
  const [client] = useState(() =>
    createGuildhall({ url: address, auth: () => auth(), ...(state === null ? {} : { initial: state }) }),
  )
  return (
    <GuildhallProvider client={client}>
      <Voice />
    </GuildhallProvider>
  )
}

const SignIn = () => {
  const router = useRouter()
  const enter = useServerFn(signIn)
  const submit = async (fields: FormData) => {
    await enter({ data: String(fields.get('userId')) })
    await router.invalidate()
  }
  return (
    <form action={submit}>
      <input name="userId" aria-label="Your Discord id" required pattern="[0-9]+" />
      <button>Sign in</button>
    </form>
  )
}

const Voice = () => {
  const client = useGuildhall()
  const { phase, complete } = useLiveStatus()
  const guilds = useSyncExternalStore(client.subscribe, () => client.view().picture, () => client.initial.picture)
  if (phase === 'signed-out') return <p>Guildhall does not take this app's word for you.</p>
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

export const Route = createFileRoute('/')({ loader: async () => ({ userId: await whoAmI(), state: await readState() }), component: Page })
