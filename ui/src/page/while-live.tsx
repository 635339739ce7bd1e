/** What runs beside the rooms for whoever is signed in, and is loaded behind them. */

import { useGuildhall } from '@guildhall/client/react'
import { useState } from 'react'

import { Activity } from './activity'
import { Dropout, type DropoutProps } from './dropout'
import { newsOf } from './news'

export const WhileLive = (props: DropoutProps) => {
  const client = useGuildhall()
  const [news] = useState(() => newsOf(client))
  return (
    <>
      <Activity news={news} />
      <Dropout {...props} />
    </>
  )
}
