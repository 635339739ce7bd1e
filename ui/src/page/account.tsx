/** Who is signed in, the language, and the way out: the menu behind the header's picture. */

import type { User } from '@guildhall/client'
import { useGuildhall } from '@guildhall/client/react'
import { useState } from 'react'

import { useAllWords } from '../words/later'
import './account.css'
import { Languages } from './languages'
import { nameOf } from './names'

export const Account = ({ user }: { readonly user: User }) => {
  const words = useAllWords()
  const client = useGuildhall()
  const name = nameOf(user, words)
  const [state, setState] = useState<'idle' | 'asked' | 'failed'>('idle')
  const leave = async (everywhere: boolean) => {
    setState('asked')
    setState((await client.signOut({ everywhere })) ? 'idle' : 'failed')
  }
  return (
    <div id="account" className="menu" popover="auto" role="region" aria-label={words.account(name)}>
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
  )
}
