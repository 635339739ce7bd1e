/** How fresh the page is, in words. */

import type { Status } from '@guildhall/client'

import type { Connection } from '../shown'
import type { Words } from '../words/en'
import { clockTime, type Spoken, useSpeech } from '../words/language'

export interface Freshness {
  readonly tone: 'idle' | 'good' | 'waiting' | 'bad'
  readonly words: string
}

/** One sentence about the weakest part of the road from Discord to this page. */
export const freshness = ({ state, obstacle }: Connection, server: Status | undefined, { words, language }: Spoken): Freshness => {
  switch (state) {
    case 'signed-out':
      return { tone: 'idle', words: '' }
    case 'ended':
      return { tone: 'bad', words: words.refusedLine }
    case 'connecting':
      return obstacle === null
        ? { tone: 'waiting', words: words.connecting }
        : { tone: 'bad', words: words.obstacleLines[obstacle] }
    case 'reconnecting': {
      const why = obstacle === null ? words.reconnecting : words.obstacleLines[obstacle]
      return { tone: 'bad', words: `${why} ${words.maybeOld}` }
    }
    case 'live':
      return server === undefined ? { tone: 'good', words: words.live } : behindTheServer(server, words, language)
  }
}

const behindTheServer = ({ discord, link, since }: Status, words: Words, language: Spoken['language']): Freshness => {
  const time = clockTime(language, since)
  if (link === 'down') return { tone: 'bad', words: words.linkDown(time) }
  switch (discord) {
    case 'live':
      return { tone: 'good', words: words.live }
    case 'resuming':
      return { tone: 'waiting', words: words.resuming(time) }
    case 'down':
      return { tone: 'bad', words: words.discordDown(time) }
    case 'unknown':
      return { tone: 'waiting', words: words.discordUnknown }
  }
}

interface LineProps {
  readonly connection: Connection
  readonly server: Status | undefined
}

/** A word while all is well, a sentence where it is not. Nobody who is signed out is told that they are. */
export const ConnectionLine = ({ connection, server }: LineProps) => {
  const { tone, words } = freshness(connection, server, useSpeech())
  return (
    <p className="connection" role="status" data-tone={tone}>
      {words !== '' && (
        <>
          <span className="dot" aria-hidden="true" />
          <span>{words}</span>
        </>
      )}
    </p>
  )
}
