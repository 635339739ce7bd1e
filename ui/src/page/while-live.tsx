/** What runs beside the rooms for whoever is signed in, and is loaded behind them. */

import type { User } from '@guildhall/client'
import { useGuildhall } from '@guildhall/client/react'
import { type RefObject, useEffect, useState } from 'react'

import { Account } from './account'
import { Activity } from './activity'
import { Dropout, type DropoutProps } from './dropout'
import { newsOf } from './news'

interface WhileLiveProps extends Omit<DropoutProps, 'userId'> {
  readonly user: User
  readonly menuAsked: RefObject<string | null>
}

export const WhileLive = ({ user, menuAsked, ...props }: WhileLiveProps) => {
  const client = useGuildhall()
  const [news] = useState(() => newsOf(client))
  useEffect(() => {
    if (menuAsked.current !== null) document.getElementById(menuAsked.current)?.showPopover()
  }, [menuAsked])
  return (
    <>
      <Account user={user} />
      <Activity news={news} />
      <Dropout userId={user.id} {...props} />
    </>
  )
}
