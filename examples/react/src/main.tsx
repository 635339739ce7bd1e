import { createGuildhall, GuildhallError, type Room } from '@guildhall/client'
import { GuildhallProvider, useCommand, useGuildhall, useGuildhallEvent, useLiveStatus, useRooms } from '@guildhall/client/react'
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'

const guild: string = import.meta.env['VITE_DISCORD_GUILD_ID']
const client = createGuildhall({ url: '/', guild })

const Voice = () => {
  const { phase, complete } = useLiveStatus()
  const rooms = useRooms(guild)
  const [news, setNews] = useState('')
  useGuildhallEvent('voice.joined', ({ displayName }) => setNews(`${displayName} came`))
  useGuildhallEvent('voice.left', ({ userId }) => setNews(`${userId} left`))
  if (phase === 'signed-out') return <SignIn />
  if (!complete) return <p>Not known yet: {phase}</p>
  return (
    <>
      <p id="state">{phase}</p>
      <ul>{rooms?.map((room) => <RoomLine key={room.channelId} room={room} />)}</ul>
      <NewRoom />
      <p aria-live="polite">{news}</p>
    </>
  )
}

const SignIn = () => <a href={useGuildhall().signInUrl(location.pathname)}>Sign in with Discord</a>

const RoomLine = ({ room }: { room: Room }) => (
  <li data-channel-id={room.channelId}>
    {room.name}: {[...room.people.values()].map((person) => person.displayName).join(', ') || 'nobody'}
  </li>
)

const NewRoom = () => {
  const { run, pending, error } = useCommand('rooms.create')
  const create = () =>
    run({ guildId: guild, name: 'Den' }).catch((refused: unknown) => {
      if (!(refused instanceof GuildhallError)) throw refused
    })
  return (
    <button disabled={pending} onClick={() => void create()}>
      {error?.message ?? 'New room'}
    </button>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <GuildhallProvider client={client}>
      <Voice />
    </GuildhallProvider>
  </StrictMode>,
)
