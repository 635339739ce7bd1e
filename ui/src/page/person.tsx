/** Somebody in a room: as a name in a row of the lobby, or as a tile of the room's page. */

import type { Person, Room } from '@guildhall/client'
import { lazy, memo, type ReactNode, Suspense, useRef } from 'react'

import { clockTime, useSpeech, useWords } from '../words/language'
import { Avatar } from './avatar'
import { Flag } from './icons'
import { nameOf, namesakes } from './names'
import { sortedPeople } from './order'
import { useFresh } from './tools'

/** The people of a room by name; cheap for a list of a moment ago with a few changes. */
export const usePeople = (room: Room): { readonly people: readonly Person[]; readonly doubled: ReadonlySet<string> } => {
  const words = useWords()
  const last = useRef<{ of: Room['people'] | null; words: unknown; people: readonly Person[]; doubled: ReadonlySet<string> }>({
    of: null,
    words,
    people: [],
    doubled: new Set(),
  })
  if (last.current.of !== room.people || last.current.words !== words) {
    const people = sortedPeople(room.people, last.current.people)
    last.current = { of: room.people, words, people, doubled: namesakes(people, words) }
  }
  return last.current
}

/** From here on only those are there who are near to where one looks. */
const MANY = 100
const Crowd = lazy(() => import('./crowd').then(({ Crowd }) => ({ default: Crowd })))

export interface PeopleProps {
  readonly people: readonly Person[]
  readonly className: string
  readonly labelledBy: string
  readonly render: (person: Person) => ReactNode
}

export const People = (props: PeopleProps) => {
  const { people, className, labelledBy, render } = props
  const list = (
    <ul className={className} aria-labelledby={labelledBy}>
      {people.slice(0, MANY).map(render)}
    </ul>
  )
  if (people.length <= MANY) return list
  return (
    <Suspense fallback={list}>
      <Crowd {...props} />
    </Suspense>
  )
}

interface PersonProps {
  readonly person: Person
  readonly kind: Room['kind']
  /** There is another by this name in the room. */
  readonly isDoubled: boolean
  readonly isMe: boolean
}

/** Renders only when the person changed: the picture keeps the identity of the others. */
export const PersonName = memo(({ person, kind, isDoubled, isMe }: PersonProps) => {
  const words = useWords()
  const name = nameOf(person, words)
  return (
    <li className="person" data-user-id={person.userId} data-me={isMe} data-fresh={useFresh()}>
      <Avatar userId={person.userId} name={name} url={person.avatarUrl} />
      <Name person={person} name={name} isDoubled={isDoubled} />
      <Badges person={person} kind={kind} isMe={isMe} />
      <Flags person={person} />
    </li>
  )
})
PersonName.displayName = 'PersonName'

interface TileProps extends PersonProps {
  readonly isOwner: boolean
  readonly children?: ReactNode
}

export const PersonTile = memo(({ person, kind, isDoubled, isMe, isOwner, children }: TileProps) => {
  const { words, language } = useSpeech()
  const name = nameOf(person, words)
  return (
    <li className="tile" data-user-id={person.userId} data-me={isMe} data-fresh={useFresh()}>
      <Avatar userId={person.userId} name={name} url={person.avatarUrl} />
      <div className="tile-words">
        <p className="tile-name">
          <Name person={person} name={name} isDoubled={isDoubled} />
        </p>
        <p className="soft">
          <time dateTime={new Date(person.since).toISOString()}>{words.since(clockTime(language, person.since))}</time>
        </p>
        <p className="tile-signs">
          {isOwner && <span className="badge">{words.owner}</span>}
          <Badges person={person} kind={kind} isMe={isMe} />
          {person.streaming && <span className="badge streaming">{words.streaming}</span>}
          <Flags person={person} isStreamSaid />
        </p>
      </div>
      {children}
    </li>
  )
})
PersonTile.displayName = 'PersonTile'

const Name = ({ person, name, isDoubled }: { readonly person: Person; readonly name: string; readonly isDoubled: boolean }) => (
  <span className="person-name" dir="auto" title={`${name} (${person.username})`}>
    {name}
    {isDoubled && <bdi className="soft"> {person.username}</bdi>}
  </span>
)

const Badges = ({ person, kind, isMe }: Omit<PersonProps, 'isDoubled'>) => {
  const words = useWords()
  return (
    <>
      {isMe && <span className="badge mine">{words.you}</span>}
      {person.bot && <span className="badge">{words.bot}</span>}
      {kind === 'stage' && person.suppressed && <span className="badge">{words.audience}</span>}
    </>
  )
}

/** `isStreamSaid`: where there is room for the word. */
const Flags = ({ person, isStreamSaid = false }: { readonly person: Person; readonly isStreamSaid?: boolean }) => {
  const words = useWords()
  const { mute, deaf, selfMute, selfDeaf, video } = person
  const streaming = person.streaming && !isStreamSaid
  if (!(mute || deaf || selfMute || selfDeaf || video || streaming)) return null
  return (
    <span className="flags">
      {streaming && <Flag drawing="streaming" meaning={words.streaming} by="stream" />}
      {video && <Flag drawing="video" meaning={words.camera} by="themselves" />}
      {mute ? (
        <Flag drawing="muted" meaning={words.mutedByServer} by="server" />
      ) : (
        selfMute && <Flag drawing="muted" meaning={words.muted} by="themselves" />
      )}
      {deaf ? (
        <Flag drawing="deafened" meaning={words.deafenedByServer} by="server" />
      ) : (
        selfDeaf && <Flag drawing="deafened" meaning={words.deafened} by="themselves" />
      )}
    </span>
  )
}
