/** The product's name, how fresh all is, and who is signed in. The menus that it opens are loaded behind it. */

import type { User } from '@guildhall/client'
import type { MouseEvent, ReactNode, RefObject } from 'react'

import { useWords } from '../words/language'
import { Avatar } from './avatar'
import { Mark, Sign } from './icons'
import { Languages } from './languages'
import { nameOf } from './names'
import { follow } from './room-row'
import { useTools } from './tools'

interface HeaderProps {
  readonly user: User | null
  /** The id of a menu that was asked for before it was loaded; whoever brings it opens it. */
  readonly menuAsked: RefObject<string | null>
  /** The connection's line. */
  readonly children: ReactNode
}

export const Header = ({ user, menuAsked, children }: HeaderProps) => {
  const words = useWords()
  const name = user === null ? '' : nameOf(user, words)
  const { open } = useTools()
  const ask = ({ currentTarget }: MouseEvent<HTMLButtonElement>) => {
    menuAsked.current = currentTarget.popoverTargetElement ? null : currentTarget.getAttribute('popovertarget')
  }
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
            <button
              className="button quiet"
              type="button"
              popoverTarget="activity"
              onClick={ask}
              aria-label={words.activity}
              data-action="activity"
            >
              <Sign drawing="activity" />
              <span className="wide-only">{words.activity}</span>
            </button>
            <button
              className="button quiet who"
              type="button"
              popoverTarget="account"
              onClick={ask}
              title={words.signedInAs(user.username)}
              aria-label={words.account(name)}
              data-action="account"
            >
              <Avatar userId={user.id} name={name} url={user.avatarUrl} />
              <bdi className="who-name wide-only">{name}</bdi>
            </button>
          </>
        )}
      </div>
    </header>
  )
}
