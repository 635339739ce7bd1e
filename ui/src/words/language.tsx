/** In which language the page speaks: the one that was chosen here, else the browser's first that it has. */

import { createContext, useContext } from 'react'

import { en, type Words } from './en'

export const languages = { en: 'English', de: 'Deutsch' } as const
export type Language = keyof typeof languages

export interface Spoken {
  readonly language: Language
  readonly words: Words
}

export interface Speech extends Spoken {
  readonly speak: (language: Language) => void
}

const KEY = 'guildhall-language'

export const english: Spoken = { language: 'en', words: en }

/** The first that the page has of what the reader likes to read. */
export const languageOf = (chosen: string | null, liked: readonly string[]): Language => {
  for (const tag of [chosen ?? '', ...liked]) {
    const [language = ''] = tag.toLowerCase().split('-')
    if (Object.hasOwn(languages, language)) return language as Language
  }
  return 'en'
}

/** English is always there; another language is loaded when it is wanted, and missing it is no reason to say nothing. */
export const spoken = async (language: Language): Promise<Spoken> => {
  if (language === 'en') return english
  return import('./de').then(({ de }) => ({ language, words: de })).catch(() => english)
}

/** Storage is refused in some windows; then the choice lasts as long as the page. */
export const chosenLanguage = (): string | null => {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

export const keepLanguage = (language: Language): void => {
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // As told above.
  }
}

export const SpeechContext = createContext<Speech>({ ...english, speak: () => undefined })

export const useSpeech = (): Speech => useContext(SpeechContext)
export const useWords = (): Words => useContext(SpeechContext).words

const clocks = new Map<string, Intl.DateTimeFormat>()

/** A time of day, by the 24-hour clock in every language. */
export const clockTime = (language: Language, at: number, seconds = false): string => {
  const key = `${language}${seconds}`
  let clock = clocks.get(key)
  if (clock === undefined) {
    const parts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
    clock = new Intl.DateTimeFormat(language, seconds ? { ...parts, second: '2-digit' } : parts)
    clocks.set(key, clock)
  }
  return clock.format(at)
}
