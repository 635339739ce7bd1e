/** What the owner of a room does with it as a whole. */

import type { Answer, Room } from '@guildhall/client'
import { type MouseEvent, type ReactNode, type SubmitEvent, useEffect, useId, useState } from 'react'

import { clockTime } from '../words/language'
import { useAllSpeech, useAllWords } from '../words/later'
import { LIMIT_MAX, NAME_MAX } from './new-room'
import { Refusal } from './refusal'
import { useCommand, useTools } from './tools'

/** As long as Discord lets a status be. */
const STATUS_MAX = 500

export const ManagePanel = ({ room }: { readonly room: Room }) => {
  const words = useAllWords()
  const { channelId } = room
  const command = useCommand()
  return (
    <section className="panel" aria-labelledby="manage-title">
      <h2 id="manage-title">{words.manage}</h2>
      <Setting
        label={words.name}
        action="rename"
        value={room.name}
        save={(start, name) => start('rooms.rename', { channelId, name })}
        field={{ type: 'text', required: true, pattern: '.*\\S.*', title: words.nameHint, maxLength: NAME_MAX }}
      />
      <Setting
        label={words.status}
        action="status"
        hint={words.statusHint}
        value={room.status ?? ''}
        save={(start, status) => start('rooms.setStatus', { channelId, status })}
        field={{ type: 'text', maxLength: STATUS_MAX }}
      />
      <Setting
        label={words.limit}
        action="limit"
        hint={words.limitHint}
        value={String(room.userLimit)}
        save={(start, limit) => start('rooms.setLimit', { channelId, limit: Number(limit) })}
        field={{ type: 'number', required: true, min: 0, max: LIMIT_MAX }}
      />
      <Doors room={room} command={command} />
      <Closing channelId={channelId} command={command} />
      <Refusal refused={command.refused} />
    </section>
  )
}

type Command = ReturnType<typeof useCommand>

interface SettingProps {
  readonly label: string
  readonly action: string
  readonly hint?: string
  /** What is so now. */
  readonly value: string
  readonly save: (start: Command['start'], value: string) => Promise<Answer<'rooms.rename'> | null>
  readonly field: React.ComponentProps<'input'>
}

/** A field with what is so now. Its button appears when it says something else. */
const Setting = ({ label, action, hint, value, save, field }: SettingProps) => {
  const { words, language } = useAllSpeech()
  const { isRunning, refused, start } = useCommand()
  const [text, setText] = useState(value)
  const [queued, setQueued] = useState<number | null>(null)
  const id = useId()
  // Somebody else may have changed it.
  useEffect(() => {
    setText(value)
    setQueued(null)
  }, [value])
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const answer = await save(start, text)
    setQueued(answer?.outcome === 'queued' ? (answer.doneAt ?? null) : null)
  }
  return (
    <form className="setting" onSubmit={(event) => void submit(event)}>
      <label htmlFor={id}>{label}</label>
      <div className="setting-row">
        <input
          id={id}
          className="field"
          autoComplete="off"
          data-setting={action}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          value={text}
          onChange={(event) => setText(event.target.value)}
          {...field}
        />
        {text !== value && queued === null && (
          <button className="button" type="submit" disabled={isRunning} data-action={action}>
            {isRunning ? words.saving : words.save}
          </button>
        )}
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="soft">
          {hint}
        </p>
      )}
      {queued !== null && <p role="status">{words.queued(clockTime(language, queued))}</p>}
      <Refusal refused={refused} />
    </form>
  )
}

/** Who may come in, and who may see it. */
const Doors = ({ room, command: { isRunning, start } }: { readonly room: Room; readonly command: Command }) => {
  const words = useAllWords()
  const { channelId } = room
  const [isLocked, isHidden] = [room.locked === true, room.hidden === true]
  return (
    <>
      <Act
        action="lock"
        isRunning={isRunning}
        hint={isLocked ? words.unlockHint : words.lockHint}
        act={() => void start('rooms.lock', { channelId, locked: !isLocked })}
      >
        {isLocked ? words.unlock : words.lock}
      </Act>
      <Act
        action="hide"
        isRunning={isRunning}
        hint={isHidden ? words.showHint : words.hideHint}
        act={() => void start('rooms.hide', { channelId, hidden: !isHidden })}
      >
        {isHidden ? words.show : words.hide}
      </Act>
    </>
  )
}

interface ActProps {
  readonly action: string
  readonly isRunning: boolean
  /** What comes of it. */
  readonly hint: string
  readonly act: () => void
  /** Has the focus in a dialog. */
  readonly isFirst?: boolean
  readonly children: ReactNode
}

export const Act = ({ action, isRunning, hint, act, isFirst, children }: ActProps) => {
  const id = useId()
  return (
    <div className="act">
      <button
        className="button"
        type="button"
        disabled={isRunning}
        aria-describedby={id}
        data-action={action}
        data-focus={isFirst}
        onClick={act}
      >
        {children}
      </button>
      <p id={id} className="soft">
        {hint}
      </p>
    </div>
  )
}

const Closing = ({ channelId, command: { isRunning, start } }: { readonly channelId: string; readonly command: Command }) => {
  const words = useAllWords()
  const { expectMove } = useTools()
  const [isAsked, setAsked] = useState(false)
  /** It goes for everybody in it: the second click of a double-click is not an answer. */
  const close = (event: MouseEvent) => {
    if (event.detail > 1) return
    expectMove()
    void start('rooms.close', { channelId })
  }
  if (!isAsked) {
    return (
      <button className="button danger" type="button" data-action="close" onClick={() => setAsked(true)}>
        {words.closeRoom}
      </button>
    )
  }
  return (
    <div className="ask">
      <p>{words.closeAsk}</p>
      <div className="buttons">
        <button className="button" type="button" autoFocus data-action="keep" onClick={() => setAsked(false)}>
          {words.keep}
        </button>
        <button className="button danger" type="button" disabled={isRunning} data-action="close-now" onClick={close}>
          {words.closeNow}
        </button>
      </div>
    </div>
  )
}
