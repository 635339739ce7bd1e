/** How fresh the page is, in words. */

import type { View } from '../live'

export interface Freshness {
  readonly tone: 'idle' | 'good' | 'waiting' | 'bad'
  readonly words: string
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** One sentence about the weakest part of the road from Discord to this page. */
export const freshness = ({
  connection,
  status,
  unanswered,
  bye,
}: Pick<View, 'connection' | 'status' | 'unanswered' | 'bye'>): Freshness => {
  switch (connection) {
    case 'signed-out':
      return { tone: 'idle', words: 'Signed out' }
    case 'connecting': {
      const obstacle = obstacleWords(unanswered, bye)
      return obstacle === null
        ? { tone: 'waiting', words: 'Connecting to the server…' }
        : { tone: 'bad', words: obstacle }
    }
    case 'reconnecting': {
      const words = obstacleWords(unanswered, bye) ?? 'Reconnecting to the server…'
      return { tone: 'bad', words: `${words} What you see may be out of date.` }
    }
    case 'live':
      return status === null ? { tone: 'good', words: 'Live' } : freshnessBehindTheServer(status)
  }
}

/** What keeps the stream from going on, if it is known and does not pass in a moment. */
const obstacleWords = (unanswered: boolean, bye: View['bye']): string | null => {
  if (unanswered) return 'The server does not answer right now. Trying again…'
  if (bye === 'unavailable') return 'The server is waiting for its bot. Trying again…'
  if (bye === 'too_many_streams') return 'Too many pages are open at once. Trying again…'
  return null
}

const freshnessBehindTheServer = ({ discord, link, since }: NonNullable<View['status']>): Freshness => {
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

export const ConnectionLine = ({ view }: { readonly view: View }) => {
  const { tone, words } = freshness(view)
  return (
    <p className="connection" role="status" aria-live="polite" data-tone={tone}>
      <span className="dot" aria-hidden="true" />
      <span>{words}</span>
    </p>
  )
}
