/** The product's name, who is signed in, and the way out. */

import type { User } from '@guildhall/client'
import { useState } from 'react'

import { Avatar } from './avatar'
import { Mark } from './icons'

interface HeaderProps {
  readonly user: User | null
  readonly signOut: () => Promise<boolean>
}

export const Header = ({ user, signOut }: HeaderProps) => (
  <header className="header">
    <span className="brand">
      <Mark />
      <span className="brand-name">Guildhall</span>
    </span>
    {user !== null && <SignedIn user={user} signOut={signOut} />}
  </header>
)

const SignedIn = ({ user, signOut }: HeaderProps & { readonly user: User }) => {
  const [state, setState] = useState<'idle' | 'asked' | 'failed'>('idle')
  const leave = async () => {
    setState('asked')
    setState((await signOut()) ? 'idle' : 'failed')
  }
  return (
    <div className="account">
      {state === 'failed' && (
        <span className="small" role="alert">
          Not signed out, try again.
        </span>
      )}
      <span className="who" title={`Signed in as ${user.username}`}>
        <Avatar name={user.displayName} url={user.avatarUrl} />
        <span className="who-name">{user.displayName}</span>
      </span>
      <button className="button" type="button" disabled={state === 'asked'} onClick={() => void leave()}>
        Sign out
      </button>
    </div>
  )
}
