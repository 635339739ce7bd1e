/** How fresh the page is, in words. */

import type { Status } from '@guildhall/client'

import type { Connection, Obstacle } from '../shown'

export interface Freshness {
  readonly tone: 'idle' | 'good' | 'waiting' | 'bad'
  readonly words: string
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** One sentence about the weakest part of the road from Discord to this page. */
export const freshness = ({ state, obstacle }: Connection, server: Status | undefined): Freshness => {
  switch (state) {
    case 'signed-out':
      return { tone: 'idle', words: 'Signed out' }
    case 'ended':
      return { tone: 'bad', words: 'The server refuses what this page asks for. Load it again.' }
    case 'connecting':
      return obstacle === null
        ? { tone: 'waiting', words: 'Connecting to the server…' }
        : { tone: 'bad', words: obstacleWords[obstacle] }
    case 'reconnecting': {
      const words = obstacle === null ? 'Reconnecting to the server…' : obstacleWords[obstacle]
      return { tone: 'bad', words: `${words} What you see may be out of date.` }
    }
    case 'live':
      return server === undefined ? { tone: 'good', words: 'Live' } : freshnessBehindTheServer(server)
  }
}

const obstacleWords: Readonly<Record<Obstacle, string>> = {
  'no-answer': 'The server does not answer right now. Trying again…',
  'no-network': 'There is no network right now. Trying again…',
  unavailable: 'The server is waiting for its bot. Trying again…',
  'too-many-streams': 'Too many pages are open at once. Trying again…',
}

const freshnessBehindTheServer = ({ discord, link, since }: Status): Freshness => {
  const time = clock.format(since)
  if (link === 'down') {
    return { tone: 'bad', words: `The server lost its bot at ${time}. What you see may be out of date.` }
  }
  switch (discord) {
    case 'live':
      return { tone: 'good', words: 'Live' }
    case 'resuming':
      return { tone: 'waiting', words: `Discord is reconnecting since ${time}. What was missed will appear.` }
    case 'down':
      return { tone: 'bad', words: `Discord cannot be reached since ${time}. What you see may be out of date.` }
    case 'unknown':
      return { tone: 'waiting', words: 'Waiting for word from Discord…' }
  }
}

interface LineProps {
  readonly connection: Connection
  readonly server: Status | undefined
}

export const ConnectionLine = ({ connection, server }: LineProps) => {
  const { tone, words } = freshness(connection, server)
  return (
    <p className="connection" role="status" aria-live="polite" data-tone={tone}>
      <span className="dot" aria-hidden="true" />
      <span>{words}</span>
    </p>
  )
}
