import { createContext, type ReactNode, useContext } from 'react'

import type { Guildhall } from '../index.js'

const Context = createContext<Guildhall | null>(null)

/** Gives everything below it this client. Make it once, outside of any component. */
export const GuildhallProvider = ({ client, children }: { readonly client: Guildhall; readonly children?: ReactNode }) => (
  // React 18 knows no other way to provide.
  <Context.Provider value={client}>{children}</Context.Provider>
)

/** The client of the nearest `GuildhallProvider`. */
export const useGuildhall = (): Guildhall => {
  const client = useContext(Context)
  if (client === null) throw new Error('there is no <GuildhallProvider client={…}> above this component')
  return client
}
