/** A room's own page: who is there and since when, the way in, and what its owner may do with it. */

import { type Answer, type Guild, type Picture, type Room } from '@guildhall/client'
import { type MouseEvent, useEffect, useRef, useState } from 'react'

import { useAllWords } from '../words/later'
import { RoomIcon, Sign } from './icons'
import { InvitePanel } from './invite-panel'
import { isOf } from './lobby'
import { ManagePanel } from './manage-panel'
import { isShown } from './names'
import { Notice } from './notices'
import { People, PersonTile, usePeople } from './person'
import { PersonTools } from './person-tools'
import { Refusal } from './refusal'
import { follow, RoomFacts } from './room-row'
import './room.css'
import { roomInDiscord, useCommand, useTools } from './tools'
import { WaitingForVoice } from './waiting-for-voice'

/** A room that was made a moment ago may still be on its way here. */
const COMES_WITHIN_MS = 3_000

export const RoomPage = ({ channelId, picture }: { readonly channelId: string; readonly picture: Picture }) => {
  const words = useAllWords()
  const { open } = useTools()
  const guild = [...picture.values()].find(({ rooms }) => rooms.has(channelId))
  const room = guild?.rooms.get(channelId)
  const isExpected = useExpected(room !== undefined)
  if (guild !== undefined && room !== undefined) return <OpenRoom guild={guild} room={room} />
  if (isExpected) {
    return (
      <p className="soft" role="status" data-notice="being-made">
        {words.oneMoment}
      </p>
    )
  }
  return (
    <Notice name="room-gone" title={words.roomGoneTitle}>
      <p>{words.roomGoneText}</p>
      <button className="button primary" type="button" data-action="to-lobby" onClick={() => open(null)}>
        {words.toLobby}
      </button>
    </Notice>
  )
}

const useExpected = (isThere: boolean): boolean => {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    // What was there and is not any more is gone.
    if (isThere) return setLate(true)
    const timer = setTimeout(() => setLate(true), COMES_WITHIN_MS)
    return () => clearTimeout(timer)
  }, [isThere])
  return !isLate
}

const OpenRoom = ({ guild, room }: { readonly guild: Guild; readonly room: Room }) => {
  const words = useAllWords()
  const { userId, open } = useTools()
  const { people, doubled } = usePeople(room)
  const isMine = isOf(room, userId)
  const heading = useRef<HTMLHeadingElement>(null)
  // Whoever came by a link of the page reads on here.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  const titled = `room-${room.channelId}`
  return (
    <div data-guild-id={guild.id} className="room-page" data-available={guild.available}>
      <a className="back" href="./" data-action="back" onClick={(event: MouseEvent) => follow(event, () => open(null))}>
        <Sign drawing="back" />
        <bdi>{isShown(guild.name) ? guild.name : words.unnamed}</bdi>
      </a>
      <article aria-labelledby={titled} data-channel-id={room.channelId} data-open="true" data-mine={isMine}>
        <div className="room-top">
          <div className="room-top-words">
            <h1 id={titled} ref={heading} tabIndex={-1} className="room-name">
              <bdi>{isShown(room.name) ? room.name : words.unnamed}</bdi>
            </h1>
            <p className="room-kind soft">
              <RoomIcon kind={room.kind} />
              {room.parentName !== undefined && <bdi>{room.parentName}</bdi>}
              <span>{room.userLimit === 0 ? words.here(people.length) : words.placesTaken(people.length, room.userLimit)}</span>
            </p>
            <RoomFacts room={room} isMine={isMine} />
          </div>
          <Door guild={guild} room={room} isMine={isMine} />
        </div>
        {!guild.available && <p className="hint outage">{words.outage}</p>}
        <div className="room-parts">
          <section className="room-people" aria-labelledby={`${titled}-people`}>
            <h2 id={`${titled}-people`}>{words.peopleHere}</h2>
            {people.length === 0 ? (
              <p className="soft nobody">{words.nobodyHere}</p>
            ) : (
              <People
                people={people}
                className="tiles"
                labelledBy={`${titled}-people`}
                render={(person) => (
                  <PersonTile
                    key={person.userId}
                    person={person}
                    kind={room.kind}
                    isDoubled={doubled.has(person.userId)}
                    isMe={person.userId === userId}
                    isOwner={person.userId === room.ownerId}
                  >
                    {isMine && person.userId !== userId ? <PersonTools channelId={room.channelId} person={person} /> : null}
                  </PersonTile>
                )}
              />
            )}
          </section>
          {isMine && (
            <div className="room-tools">
              <InvitePanel room={room} />
              <ManagePanel room={room} />
            </div>
          )}
        </div>
      </article>
    </div>
  )
}

/** The way in and out, or why there is none. */
const Door = ({ guild, room, isMine }: { readonly guild: Guild; readonly room: Room; readonly isMine: boolean }) => {
  const words = useAllWords()
  const { userId, discordUrl, expectMove } = useTools()
  const { isRunning, refused, start } = useCommand()
  const [went, setWent] = useState<Answer<'voice.connect'> | null>(null)
  const isIn = userId !== null && room.people.has(userId)
  useEffect(() => {
    if (isIn) setWent(null)
  }, [isIn])
  const { channelId } = room
  const go = async () => {
    setWent(null)
    expectMove()
    setWent(await start('voice.connect', { channelId }))
  }
  const leave = () => {
    expectMove()
    void start('voice.disconnect', { guildId: guild.id })
  }
  const isFull = room.userLimit > 0 && room.people.size >= room.userLimit
  const isShut = isFull || (room.locked === true && !isMine)
  // Who is in voice is moved by one click; anybody else comes in by Discord. Neither is praised while the room is shut.
  const isInVoice = userId !== null && [...guild.rooms.values()].some(({ people }) => people.has(userId))
  const weight = (isFirst: boolean) => (isFirst && !isShut ? 'button primary' : 'button')
  const ways = [
    <a
      key="join"
      className={weight(!isInVoice)}
      href={roomInDiscord(discordUrl, guild.id, channelId)}
      target="_blank"
      rel="noreferrer"
      data-action="join-in-discord"
    >
      {words.joinInDiscord}
    </a>,
    !isFull && (
      <button key="go" className={weight(isInVoice)} type="button" disabled={isRunning} data-action="go" onClick={() => void go()}>
        {isRunning ? words.movingYou : words.moveMe}
      </button>
    ),
  ]
  const isGone = isIn && room.managed === true && room.ownerId !== undefined && !room.people.has(room.ownerId)
  return (
    <div className="door">
      {isIn ? (
        <>
          <p className="door-state">{words.youAreHere}</p>
          <div className="buttons">
            <button className="button" type="button" disabled={isRunning} data-action="leave" onClick={leave}>
              <Sign drawing="out" />
              {words.leaveVoice}
            </button>
          </div>
          {isGone && (
            <>
              <p className="soft">{words.ownerGone}</p>
              <button
                className="button"
                type="button"
                disabled={isRunning}
                data-action="claim"
                onClick={() => void start('rooms.claim', { channelId })}
              >
                {words.claim}
              </button>
            </>
          )}
        </>
      ) : (
        <>
          {isFull && <p className="door-state">{words.isFull}</p>}
          {room.locked === true && !isMine && <p className="door-state">{words.isLocked}</p>}
          <div className="buttons">{isInVoice ? ways.reverse() : ways}</div>
          {went?.outcome === 'waiting' && <WaitingForVoice url={went.discordUrl} />}
        </>
      )}
      <Refusal refused={refused} />
    </div>
  )
}
