/** The product's name, how fresh all is, who is signed in, and the way out. */

import type { User } from '@guildhall/client'
import { type MouseEvent, type ReactNode, useState } from 'react'

import { type Language, languages, useSpeech, useWords } from '../words/language'
import { Avatar } from './avatar'
import { Mark, Sign } from './icons'
import { nameOf } from './names'
import { follow } from './room-row'
import { useTools } from './tools'

interface HeaderProps {
  readonly user: User | null
  readonly signOut: (options?: { readonly everywhere: boolean }) => Promise<boolean>
  /** The connection's line. */
  readonly children: ReactNode
}

export const Header = ({ user, signOut, children }: HeaderProps) => {
  const words = useWords()
  const { open } = useTools()
  return (
    <header className="header">
      <a className="skip" href="#content">
        {words.toContent}
      </a>
      <a className="brand" href="./" aria-label="Guildhall" onClick={(event: MouseEvent) => follow(event, () => open(null))}>
        <Mark />
        <span>Guildhall</span>
      </a>
      {children}
      <div className="header-tools">
        {user === null ? (
          <Languages />
        ) : (
          <>
            <button className="button quiet" type="button" popoverTarget="activity" aria-label={words.activity} data-action="activity">
              <Sign drawing="activity" />
              <span className="wide-only">{words.activity}</span>
            </button>
            <Account user={user} signOut={signOut} />
          </>
        )}
      </div>
    </header>
  )
}

const Account = ({ user, signOut }: Pick<HeaderProps, 'signOut'> & { readonly user: User }) => {
  const words = useWords()
  const name = nameOf(user, words)
  const [state, setState] = useState<'idle' | 'asked' | 'failed'>('idle')
  const leave = async (everywhere: boolean) => {
    setState('asked')
    setState((await signOut({ everywhere })) ? 'idle' : 'failed')
  }
  return (
    <>
      <button
        className="button quiet who"
        type="button"
        popoverTarget="account"
        title={words.signedInAs(user.username)}
        aria-label={words.account(name)}
        data-action="account"
      >
        <Avatar userId={user.id} name={name} url={user.avatarUrl} />
        <bdi className="who-name wide-only">{name}</bdi>
      </button>
      <div id="account" className="menu" popover="auto">
        <p className="menu-name">
          <bdi>{name}</bdi>
          <span className="soft">{user.username}</span>
        </p>
        <Languages />
        <button className="button" type="button" disabled={state === 'asked'} data-action="sign-out" onClick={() => void leave(false)}>
          {state === 'asked' ? words.signingOut : words.signOut}
        </button>
        <button
          className="button"
          type="button"
          disabled={state === 'asked'}
          aria-describedby="everywhere"
          data-action="sign-out-everywhere"
          onClick={() => void leave(true)}
        >
          {words.signOutEverywhere}
        </button>
        <p id="everywhere" className="soft">
          {words.signOutEverywhereHint}
        </p>
        {state === 'failed' && (
          <p className="refusal" role="alert">
            {words.notSignedOut}
          </p>
        )}
      </div>
    </>
  )
}

const Languages = () => {
  const { words, language, speak } = useSpeech()
  return (
    <div className="languages" role="group" aria-label={words.language}>
      {(Object.keys(languages) as Language[]).map((one) => (
        <button
          key={one}
          className="button quiet"
          type="button"
          lang={one}
          aria-pressed={one === language}
          data-language={one}
          onClick={() => speak(one)}
        >
          {languages[one]}
        </button>
      ))}
    </div>
  )
}
