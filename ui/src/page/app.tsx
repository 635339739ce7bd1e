/** The page: a header, the state of the connection, and the guilds. */

import { useGuildhall } from '@guildhall/client/react'
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'

import type { LoginOutcome } from '../address'
import type { Obstacle, Showing, Shown } from '../shown'
import { ConnectionLine } from './connection'
import { GuildSection } from './guild'
import { Header } from './header'
import { Invitation } from './invitation'
import { byName } from './order'
import { type Tools, ToolsContext } from './tools'

interface AppProps {
  /** Told which room is open, so that the page's address leads there again. */
  readonly onRoom?: (channelId: string | null) => void
  readonly shown: Showing
  /** By the invite, if there is one. */
  readonly signInUrl: string
  /** The token of the invite that the page was opened with. */
  readonly invite?: string | null
  /** The room that is open at first. */
  readonly room?: string | null
  /** How the sign-in ended that led here; null: none did, or it went well. */
  readonly outcome?: LoginOutcome | null
}

export const App = ({ shown, signInUrl, invite = null, room = null, outcome = null, onRoom }: AppProps) => {
  const client = useGuildhall()
  const now = useSyncExternalStore(shown.subscribe, shown.view)
  const [openRoom, setOpenRoom] = useState(room)
  const userId = now.user?.id ?? null
  // Another person begins anew.
  useEffect(() => setOpenRoom(room), [room, userId])
  // Whoever has a room's page open counts as using the room.
  useEffect(() => (openRoom === null ? undefined : client.viewing(openRoom)), [client, openRoom])
  useEffect(() => onRoom?.(openRoom), [openRoom, onRoom])
  const tools = useMemo<Tools>(() => ({ userId, openRoom, setOpenRoom }), [userId, openRoom])
  const isSignedOut = now.connection.state === 'signed-out'
  return (
    <div
      className="page"
      data-connection={now.connection.state}
      data-discord={now.server?.discord}
      data-link={now.server?.link}
      data-began={now.began?.how}
      data-snapshots={now.began?.snapshots}
    >
      <Header user={now.user} signOut={client.signOut} />
      <ConnectionLine connection={now.connection} server={now.server} />
      <main className="content">
        {outcome !== null && <Outcome outcome={outcome} />}
        <ToolsContext value={tools}>
          {invite !== null && <Invitation token={invite} shown={now} signInUrl={signInUrl} />}
          {/* The invitation has a sign-in of its own. */}
          {(invite === null || !isSignedOut) && <Content shown={now} signInUrl={signInUrl} />}
        </ToolsContext>
      </main>
    </div>
  )
}

const Content = ({ shown, signInUrl }: { readonly shown: Shown; readonly signInUrl: string }) => {
  const { state, obstacle } = shown.connection
  if (state === 'signed-out') return <SignIn url={signInUrl} />
  if (shown.picture === null) {
    if (state === 'ended') return <Refused />
    return obstacle === null ? <Loading /> : <Obstructed by={obstacle} />
  }
  if (shown.picture.size === 0) return <NoGuild />
  return (
    <>
      <h1 className="visually-hidden">Voice rooms</h1>
      {[...shown.picture.values()].sort(byName).map((guild) => (
        <GuildSection key={guild.id} guild={guild} />
      ))}
    </>
  )
}

const SignIn = ({ url }: { readonly url: string }) => (
  <section className="notice">
    <h1>Who is in voice right now?</h1>
    <p>Sign in with Discord to see the voice rooms of your guilds, live.</p>
    <a className="button primary" href={url} data-action="sign-in">
      Sign in with Discord
    </a>
    <p className="small">Only your name and your list of guilds are read. You see what you may see in Discord.</p>
  </section>
)

const Outcome = ({ outcome }: { readonly outcome: LoginOutcome }) => (
  <p className="outcome" role="status" data-outcome={outcome}>
    {outcomeWords(outcome)}
  </p>
)

const outcomeWords = (outcome: LoginOutcome): string => {
  switch (outcome) {
    case 'denied':
      return 'You did not let Discord sign you in here. You can try again whenever you like.'
    case 'failed':
      return 'Signing in did not work this time. Please try again.'
    default: {
      const code = outcome.slice('not_admitted:'.length)
      const why = Object.hasOwn(reasons, code) ? reasons[code] : undefined
      return `You are signed in, but were not added to the server. ${why ?? 'You could not be let in just now.'}`
    }
  }
}

/** Why an invite let nobody into its server. */
const reasons: Readonly<Record<string, string>> = {
  invite_invalid: 'The invite is not a good one, or its room is gone.',
  invite_expired: "The invite's time is over.",
  invite_revoked: 'The invite was revoked.',
  no_seats_left: 'As many people as the invite is for have come.',
  room_locked: 'The room is locked; whoever owns it can open it.',
  blocked: 'Whoever owns the room keeps you out of it.',
  bot_forbidden: 'The bot may not add people there; whoever runs the server can change that.',
}

/** What is said while nothing can be shown: a heading and a sentence. */
const obstacles: Readonly<Record<Obstacle, readonly [string, string]>> = {
  'no-answer': [
    'The server does not answer',
    'This page keeps trying and goes on by itself as soon as it does.',
  ],
  'no-network': [
    'There is no network',
    'This page goes on by itself as soon as there is.',
  ],
  unavailable: [
    'The server cannot tell yet what you may see',
    'It is there, and waits for word from its bot. This page goes on by itself as soon as that comes.',
  ],
  'too-many-streams': [
    'Too many pages are open at once',
    'Close one that you do not need. This page keeps trying and goes on by itself as soon as there is room.',
  ],
}

const Obstructed = ({ by }: { readonly by: Obstacle }) => (
  <section className="notice" data-notice={by}>
    <h1>{obstacles[by][0]}</h1>
    <p>{obstacles[by][1]}</p>
  </section>
)

const Refused = () => (
  <section className="notice" data-notice="refused">
    <h1>The server refuses what this page asks for</h1>
    <p>It may be newer than this page: load it again.</p>
  </section>
)

const Loading = () => (
  <section className="guild" aria-busy="true">
    <p className="visually-hidden">Loading your guilds.</p>
    <div className="skeleton title" />
    <div className="rooms">
      <div className="skeleton room" />
      <div className="skeleton room" />
      <div className="skeleton room" />
    </div>
  </section>
)

const NoGuild = () => (
  <section className="notice">
    <h1>No guild to show</h1>
    <p>The bot shares no guild with you. As soon as it does, its voice rooms appear here.</p>
  </section>
)
