/** Somebody is moved once they are in voice: a bot cannot bring anybody there. */

export const WaitingForVoice = ({ url }: { readonly url?: string | undefined }) => (
  <p className="small" role="status" data-outcome="waiting">
    You are in no voice channel yet. Join one, and you are moved here.{' '}
    {url !== undefined && (
      <a href={url} target="_blank" rel="noreferrer" data-action="open-discord">
        Open the room in Discord
      </a>
    )}
  </p>
)
