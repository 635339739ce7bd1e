/** The languages there are, to choose from. */

import { type Language, languages, useSpeech } from '../words/language'

export const Languages = () => {
  const { words, language, speak } = useSpeech()
  return (
    <div className="languages" role="group" aria-label={words.language}>
      {(Object.keys(languages) as Language[]).map((one) => (
        <button
          key={one}
          className="button quiet"
          type="button"
          lang={one}
          aria-pressed={one === language}
          data-language={one}
          onClick={() => speak(one)}
        >
          {languages[one]}
        </button>
      ))}
    </div>
  )
}
