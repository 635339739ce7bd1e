/** The page: a header, the state of the connection, and the lobby, a room, or why there is neither. */

import { useGuildhall } from '@guildhall/client/react'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

import type { LoginOutcome, Navigation } from '../address'
import type { Showing, Shown } from '../shown'
import { english, useWords } from '../words/language'
import { ConnectionLine, freshness } from './connection'
import { Header } from './header'
import { Lobby } from './lobby'
import { Catch, Loading, NoGuild, Obstructed, Outcome, Refused } from './notices'
import { type Tools, ToolsContext } from './tools'

const Landing = lazy(() => import('./landing').then(({ Landing }) => ({ default: Landing })))
const Invitation = lazy(() => import('./invitation').then(({ Invitation }) => ({ default: Invitation })))
const loadRoomPage = () => import('./room-page')
const WhileLive = lazy(() => import('./while-live').then(({ WhileLive }) => ({ default: WhileLive })))
const RoomPage = lazy(() => loadRoomPage().then(({ RoomPage }) => ({ default: RoomPage })))

interface AppProps {
  readonly shown: Showing
  readonly navigation: Navigation
  /** By the invite, if there is one. */
  readonly signInUrl: string
  /** The token of the invite that the page was opened with. */
  readonly invite?: string | null
  /** How the sign-in ended that led here; null: none did, or it went well. */
  readonly outcome?: LoginOutcome | null
  /** Asks where Discord's own client has its rooms. */
  readonly askDiscordUrl?: () => Promise<string | null>
}

/** A person's own click moves them within this time, or not at all. */
const EXPECTED_MS = 10_000

export const App = ({ shown, navigation, signInUrl, invite = null, outcome = null, askDiscordUrl }: AppProps) => {
  const client = useGuildhall()
  const now = useSyncExternalStore(shown.subscribe, shown.view)
  const openRoom = useSyncExternalStore(navigation.subscribe, navigation.room)
  const userId = now.user?.id ?? null
  const discordUrl = useDiscordUrl(userId, askDiscordUrl)
  const menuAsked = useRef<string | null>(null)
  const expected = useRef(0)
  const expectMove = useCallback(() => {
    expected.current = Date.now() + EXPECTED_MS
  }, [])
  const isExpected = useCallback(() => Date.now() < expected.current, [])
  // Whoever has a room's page open counts as using the room.
  useEffect(() => (openRoom === null ? undefined : client.viewing(openRoom)), [client, openRoom])
  // A room is opened at once, also when the server has just gone.
  useEffect(() => {
    if (userId !== null) void loadRoomPage().catch(() => undefined)
  }, [userId])
  const isSettled = useSettled(now.picture !== null, openRoom)
  const tools = useMemo<Tools>(
    () => ({ userId, open: navigation.open, discordUrl, expectMove, isSettled }),
    [userId, navigation, discordUrl, expectMove, isSettled],
  )
  const isSignedOut = now.connection.state === 'signed-out'
  return (
    <ToolsContext value={tools}>
      <div
        className="page"
        data-connection={now.connection.state}
        data-tone={freshness(now.connection, now.server, english).tone}
        data-discord={now.server?.discord}
        data-link={now.server?.link}
        data-began={now.began?.how}
        data-snapshots={now.began?.snapshots}
      >
        <Header user={now.user} menuAsked={menuAsked}>
          <ConnectionLine connection={now.connection} server={now.server} />
        </Header>
        <main id="content" className="content" tabIndex={-1}>
          <Catch>
            {outcome !== null && <Outcome outcome={outcome} />}
            {invite !== null && (
              <Suspense fallback={<Loading />}>
                <Invitation token={invite} shown={now} signInUrl={signInUrl} />
              </Suspense>
            )}
            {/* The invitation has a sign-in of its own. */}
            {(invite === null || !isSignedOut) && <Content shown={now} signInUrl={signInUrl} openRoom={openRoom} />}
          </Catch>
        </main>
        {now.user !== null && (
          <Catch>
            <Suspense>
              <WhileLive
                user={now.user}
                menuAsked={menuAsked}
                picture={now.picture}
                openRoom={openRoom}
                isExpected={isExpected}
              />
            </Suspense>
          </Catch>
        )}
      </div>
    </ToolsContext>
  )
}

interface ContentProps {
  readonly shown: Shown
  readonly signInUrl: string
  readonly openRoom: string | null
}

const Content = ({ shown, signInUrl, openRoom }: ContentProps) => {
  const { state, obstacle } = shown.connection
  useTitle(shown, openRoom)
  if (state === 'signed-out') {
    return (
      <Suspense>
        <Landing url={signInUrl} />
      </Suspense>
    )
  }
  if (shown.picture === null) {
    if (state === 'ended') return <Refused />
    return obstacle === null ? <Loading /> : <Obstructed by={obstacle} />
  }
  if (openRoom !== null) {
    return (
      <Suspense fallback={<Loading />}>
        <RoomPage key={openRoom} channelId={openRoom} picture={shown.picture} />
      </Suspense>
    )
  }
  return shown.picture.size === 0 ? <NoGuild /> : <Lobby picture={shown.picture} />
}

/** What a browser's tabs and history call this. */
const useTitle = ({ picture }: Shown, openRoom: string | null) => {
  const words = useWords()
  let title = words.rooms
  for (const { rooms } of picture?.values() ?? []) title = rooms.get(openRoom ?? '')?.name ?? title
  useEffect(() => {
    document.title = `${title} · Guildhall`
  }, [title])
}

const useDiscordUrl = (userId: string | null, ask: AppProps['askDiscordUrl']): string | null => {
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (userId === null) return
    let isOver = false
    void ask?.().then((answer) => isOver || setUrl(answer))
    return () => {
      isOver = true
    }
  }, [userId, ask])
  return url
}

/** False for a moment after a view was opened: what it begins with has not just come. */
const useSettled = (isKnown: boolean, openRoom: string | null): (() => boolean) => {
  const settled = useRef(false)
  const view = useRef<unknown>(undefined)
  // While rendering, since what is rendered with this view asks at once.
  if (view.current !== openRoom || !isKnown) settled.current = false
  view.current = openRoom
  useEffect(() => {
    if (!isKnown) return
    const timer = setTimeout(() => {
      settled.current = true
    }, 1_000)
    return () => clearTimeout(timer)
  }, [isKnown, openRoom])
  return useCallback(() => settled.current, [])
}
