import { useCallback, useRef, useSyncExternalStore } from 'react'

import type { Guildhall, View } from '../index.js'

/**
 * What `select` makes of the view. Renders anew only where that has changed, by `equal`;
 * a first rendering shows what the server's did.
 */
export const useSelection = <Selected>(
  client: Guildhall,
  select: (view: View) => Selected,
  equal: (a: Selected, b: Selected) => boolean = Object.is,
): Selected => {
  const last = useRef<{ readonly selected: Selected } | null>(null)
  const kept = (view: View): Selected => {
    const selected = select(view)
    if (last.current !== null && equal(last.current.selected, selected)) return last.current.selected
    last.current = { selected }
    return selected
  }
  const subscribe = useCallback((reader: () => void) => client.subscribe(reader), [client])
  return useSyncExternalStore(
    subscribe,
    () => kept(client.view()),
    () => kept(client.initial),
  )
}
