/** What somebody is called on the page. */

import type { Person } from '@guildhall/client'

import type { Words } from '../words/en'

/** A letter, a digit or a sign: blanks and what fonts draw as nothing leave a row empty. */
const SHOWS = /[^\s\p{C}\p{Z}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u

export const isShown = (text: string): boolean => SHOWS.test(text)

type Named = Pick<Person, 'displayName' | 'username'>

/** The display name, or where that shows nothing Discord's unique name. */
export const nameOf = ({ displayName, username }: Named, words: Words): string =>
  [displayName, username].find(isShown) ?? words.unnamed

/** The user ids of those of whom there is another by the same name, who are told apart by their unique names. */
export const namesakes = (people: readonly Person[], words: Words): ReadonlySet<string> => {
  const first = new Map<string, string>()
  const found = new Set<string>()
  for (const person of people) {
    const name = nameOf(person, words)
    const other = first.get(name)
    if (other === undefined) first.set(name, person.userId)
    else found.add(other).add(person.userId)
  }
  return found
}

const segmenter = new Intl.Segmenter()

/** What stands in place of a picture. */
export const firstLetter = (name: string): string => {
  for (const { segment } of segmenter.segment(name)) if (isShown(segment)) return segment.toLocaleUpperCase()
  return '?'
}

/** Which of the six grounds a letter stands on: the same for the same person. */
export const faceOf = (userId: string): number => (Number(userId.slice(-6)) % 6) + 1
