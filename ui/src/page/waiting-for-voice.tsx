/** Somebody is moved once they are in voice: a bot cannot bring anybody there. */

import { useAllWords } from '../words/later'

export const WaitingForVoice = ({ url }: { readonly url?: string | undefined }) => {
  const words = useAllWords()
  return (
    <div className="waiting" role="status" data-outcome="waiting">
      <p>{words.waitingForVoice}</p>
      {url !== undefined && (
        <a className="button" href={url} target="_blank" rel="noreferrer" data-action="open-discord">
          {words.openInDiscord}
        </a>
      )}
    </div>
  )
}
