/** All words, in what is loaded behind the first view: few enough that all languages come together. */

import type { Words } from './en'
import { type Speech, useSpeech } from './language'
import { laterDe } from './later-de'
import { laterEn, type LaterWords } from './later-en'

const later = { en: laterEn, de: laterDe }

type AllWords = Words & LaterWords

const merged = new WeakMap<Words, AllWords>()

export const useAllSpeech = (): Speech & { readonly words: AllWords } => {
  const speech = useSpeech()
  const words = merged.get(speech.words) ?? { ...speech.words, ...later[speech.language] }
  merged.set(speech.words, words)
  return { ...speech, words }
}

export const useAllWords = (): AllWords => useAllSpeech().words
