/** Hands the page its words, and others when another language is chosen. */

import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'

import { keepLanguage, type Language, SpeechContext, type Spoken, spoken } from './language'

export const SpeechProvider = ({ first, children }: { readonly first: Spoken; readonly children: ReactNode }) => {
  const [now, setNow] = useState(first)
  const speak = useCallback((language: Language) => {
    keepLanguage(language)
    void spoken(language).then(setNow)
  }, [])
  useEffect(() => {
    document.documentElement.lang = now.language
  }, [now])
  const speech = useMemo(() => ({ ...now, speak }), [now, speak])
  return <SpeechContext value={speech}>{children}</SpeechContext>
}
