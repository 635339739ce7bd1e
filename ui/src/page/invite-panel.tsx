/** One link into one's room, to copy or to be photographed. */

import type { Room } from '@guildhall/client'
import { useMemo, useState } from 'react'
import { encode } from 'uqr'

import { useAllWords } from '../words/later'
import { Refusal } from './refusal'
import { useCommand } from './tools'

/** One link at a time: as long as the room's page is open the same one is copied again. */
export const InvitePanel = ({ room }: { readonly room: Room }) => {
  const words = useAllWords()
  const { isRunning, refused, start } = useCommand()
  const [url, setUrl] = useState<string | null>(null)
  const [said, setSaid] = useState<'copied' | 'copyByHand' | 'revoked' | null>(null)
  const { channelId } = room
  const share = async () => {
    const address = url ?? (await start('invites.create', { channelId }))?.url
    if (address === undefined) return
    setUrl(address)
    setSaid((await copy(address)) ? 'copied' : 'copyByHand')
  }
  const revoke = async () => {
    if ((await start('invites.revoke', { channelId })) === null) return
    setUrl(null)
    setSaid('revoked')
  }
  const isLocked = room.locked === true
  return (
    <section className="panel invite" aria-labelledby="invite-title">
      <h2 id="invite-title">{words.invite}</h2>
      <p className="soft">{isLocked ? words.lockedNoLink : words.inviteText}</p>
      <div className="buttons">
        {!isLocked && (
          <button className="button primary" type="button" disabled={isRunning} data-action="invite" onClick={() => void share()}>
            {isRunning ? words.makingLink : words.copy}
          </button>
        )}
        <button className="button" type="button" disabled={isRunning} data-action="revoke" onClick={() => void revoke()}>
          {words.revoke}
        </button>
      </div>
      <p className="said" role="status">
        {said !== null && (said === 'revoked' || !isLocked) && words[said]}
      </p>
      {/* Below the button that it comes by, which stays where it was pressed. */}
      {url !== null && !isLocked && (
        <>
          <input
            className="field"
            type="text"
            readOnly
            aria-label={words.inviteLink}
            value={url}
            onFocus={(event) => event.target.select()}
          />
          <QrCode text={url} meaning={words.qr} />
        </>
      )}
      <Refusal refused={refused} />
    </section>
  )
}

/** Whether it is in the clipboard: a browser may not let us. */
const copy = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** Dark on light in every scheme: cameras expect it so. */
const QrCode = ({ text, meaning }: { readonly text: string; readonly meaning: string }) => {
  const { size, path } = useMemo(() => drawn(text), [text])
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={meaning} shapeRendering="crispEdges">
      <rect width={size} height={size} />
      <path d={path} />
    </svg>
  )
}

const drawn = (text: string): { readonly size: number; readonly path: string } => {
  const { size, data } = encode(text, { border: 2 })
  let path = ''
  data.forEach((row, y) => row.forEach((isDark, x) => (path += isDark ? `M${x} ${y}h1v1h-1z` : '')))
  return { size, path }
}
