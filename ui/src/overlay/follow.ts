/** Shows what a link shows, for as long as the page is open. */

import type { Guildhall } from '@guildhall/client'

import { showRoom } from './room'

export interface FollowParts {
  /** A client of the link, which has not begun. */
  readonly open: () => Pick<Guildhall, 'view' | 'subscribe' | 'close'>
  readonly after: (ms: number, run: () => void) => void
}

/** A link that is over stays over, but for one whose maker was let into the room again. */
const AGAIN_MS = 60_000

export const follow = (place: HTMLElement, { open, after }: FollowParts): void => {
  const draw = showRoom(place)
  const begin = () => {
    const client = open()
    const look = () => {
      const view = client.view()
      draw(view)
      const { phase } = view.status
      if (phase !== 'signed-out' && phase !== 'ended') return
      leave()
      client.close()
      after(AGAIN_MS, begin)
    }
    const leave = client.subscribe(look)
    draw(client.view())
  }
  begin()
}
