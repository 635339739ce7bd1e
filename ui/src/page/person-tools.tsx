/** What the owner of a room may do with somebody who is in it. */

import type { Person } from '@guildhall/client'
import { useId, useState } from 'react'

import { useAllWords } from '../words/later'
import { Sign } from './icons'
import { Act } from './manage-panel'
import { Modal } from './modal'
import { nameOf } from './names'
import { Refusal } from './refusal'
import { useCommand } from './tools'

export const PersonTools = ({ channelId, person }: { readonly channelId: string; readonly person: Person }) => {
  const words = useAllWords()
  const [isOpen, setOpen] = useState(false)
  const name = nameOf(person, words)
  return (
    <>
      <button
        className="button quiet icon tile-tools"
        type="button"
        aria-label={words.personTools(name)}
        aria-haspopup="dialog"
        data-action="person-tools"
        onClick={() => setOpen(true)}
      >
        <Sign drawing="more" />
      </button>
      {isOpen && <ToolsDialog channelId={channelId} person={person} name={name} close={() => setOpen(false)} />}
    </>
  )
}

interface DialogProps {
  readonly channelId: string
  readonly person: Person
  readonly name: string
  readonly close: () => void
}

const ToolsDialog = ({ channelId, person, name, close }: DialogProps) => {
  const words = useAllWords()
  const { isRunning, refused, start } = useCommand()
  const [isAsked, setAsked] = useState(false)
  const id = useId()
  const { userId } = person
  const done = async (doing: Promise<object | null>) => {
    if ((await doing) !== null) close()
  }
  return (
    <Modal name="person-tools" labelledBy={id} close={close}>
      <h2 id={id}>
        <bdi>{name}</bdi>
      </h2>
      {isAsked ? (
        <div className="ask">
          <p>{words.transferAsk(name)}</p>
          <div className="buttons">
            <button className="button" type="button" autoFocus onClick={() => setAsked(false)}>
              {words.cancel}
            </button>
            <button
              className="button danger"
              type="button"
              disabled={isRunning}
              data-action="transfer-now"
              onClick={(event) => event.detail <= 1 && void done(start('rooms.transfer', { channelId, userId }))}
            >
              {words.transferNow}
            </button>
          </div>
        </div>
      ) : (
        <>
          <Act
            action="kick-once"
            isFirst
            isRunning={isRunning}
            hint={words.kickOnceHint}
            act={() => void done(start('rooms.kick', { channelId, userId, allowReturn: true }))}
          >
            {words.kickOnce}
          </Act>
          <Act
            action="kick"
            isRunning={isRunning}
            hint={words.kickHint}
            act={() => void done(start('rooms.kick', { channelId, userId }))}
          >
            {words.kick}
          </Act>
          {!person.bot && (
            <Act action="transfer" isRunning={isRunning} hint={words.transferHint} act={() => setAsked(true)}>
              {words.transfer}
            </Act>
          )}
        </>
      )}
      <Refusal refused={refused} />
    </Modal>
  )
}
