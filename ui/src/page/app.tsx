/** The page: a header, the state of the connection, and the guilds. */

import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'

import type { Run } from '../commands'
import type { Live, View } from '../live'
import type { LoginOutcome } from '../session'
import { ConnectionLine } from './connection'
import { GuildSection } from './guild'
import { Header } from './header'
import { Invitation } from './invitation'
import { byName } from './order'
import { type Tools, ToolsContext } from './tools'

interface AppProps {
  /** Told which room is open, so that the page's address leads there again. */
  readonly onRoom?: (channelId: string | null) => void
  readonly live: Pick<Live, 'view' | 'subscribe' | 'signOut' | 'setViewing'>
  readonly run: Run
  /** By the invite, if there is one. */
  readonly signInUrl: string
  /** The token of the invite that the page was opened with. */
  readonly invite?: string | null
  /** The room that is open at first. */
  readonly room?: string | null
  /** How the sign-in ended that led here; null: none did, or it went well. */
  readonly outcome?: LoginOutcome | null
}

export const App = ({ live, run, signInUrl, invite = null, room = null, outcome = null, onRoom }: AppProps) => {
  const view = useSyncExternalStore(live.subscribe, live.view)
  const [openRoom, setOpenRoom] = useState(room)
  const userId = view.user?.id ?? null
  // Another person begins anew.
  useEffect(() => setOpenRoom(room), [room, userId])
  // Whoever has a room's page open counts as using the room.
  useEffect(() => {
    live.setViewing(openRoom === null ? [] : [openRoom])
    onRoom?.(openRoom)
  }, [live, openRoom, onRoom])
  const tools = useMemo<Tools>(() => ({ userId, run, openRoom, setOpenRoom }), [userId, run, openRoom])
  return (
    <div
      className="page"
      data-connection={view.connection}
      data-discord={view.status?.discord}
      data-link={view.status?.link}
      data-began={view.began?.how}
      data-snapshots={view.snapshots}
      data-ignored={view.ignored}
    >
      <Header user={view.user} signOut={live.signOut} />
      <ConnectionLine view={view} />
      <main className="content">
        {outcome !== null && <Outcome outcome={outcome} />}
        <ToolsContext value={tools}>
          {invite !== null && (
            <Invitation token={invite} view={view} signInUrl={signInUrl} />
          )}
          {/* The invitation has a sign-in of its own. */}
          {(invite === null || view.connection !== 'signed-out') && <Content view={view} signInUrl={signInUrl} />}
        </ToolsContext>
      </main>
    </div>
  )
}

const Content = ({ view, signInUrl }: { readonly view: View; readonly signInUrl: string }) => {
  if (view.connection === 'signed-out') return <SignIn url={signInUrl} />
  if (view.picture === null) {
    if (view.unanswered) return <NoAnswer />
    if (view.bye === 'unavailable') return <NotKnownYet />
    if (view.bye === 'too_many_streams') return <TooManyPages />
    return <Loading />
  }
  if (view.picture.size === 0) return <NoGuild />
  return (
    <>
      <h1 className="visually-hidden">Voice rooms</h1>
      {[...view.picture.values()].sort(byName).map((guild) => (
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

const NoAnswer = () => (
  <section className="notice" data-notice="no-answer">
    <h1>The server does not answer</h1>
    <p>This page keeps trying and goes on by itself as soon as it does.</p>
  </section>
)

const NotKnownYet = () => (
  <section className="notice" data-notice="unavailable">
    <h1>The server cannot tell yet what you may see</h1>
    <p>It is there, and waits for word from its bot. This page goes on by itself as soon as that comes.</p>
  </section>
)

const TooManyPages = () => (
  <section className="notice" data-notice="too-many-streams">
    <h1>Too many pages are open at once</h1>
    <p>Close one that you do not need. This page keeps trying and goes on by itself as soon as there is room.</p>
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
