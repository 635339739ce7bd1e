/** What runs beside the rooms for whoever is signed in, and is loaded behind them. */

import type { User } from '@guildhall/client'
import { useGuildhall } from '@guildhall/client/react'
import { useState } from 'react'

import { Account } from './account'
import { Activity } from './activity'
import { Dropout, type DropoutProps } from './dropout'
import { newsOf } from './news'

export const WhileLive = ({ user, ...props }: Omit<DropoutProps, 'userId'> & { readonly user: User }) => {
  const client = useGuildhall()
  const [news] = useState(() => newsOf(client))
  return (
    <>
      <Account user={user} />
      <Activity news={news} />
      <Dropout userId={user.id} {...props} />
    </>
  )
}
