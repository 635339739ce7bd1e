/** A person's picture, or the first letter of their name while there is none. */

import { useState } from 'react'

interface AvatarProps {
  readonly name: string
  readonly url: string
}

export const Avatar = ({ name, url }: AvatarProps) => {
  // Remembered by address: a new picture gets a new chance.
  const [broken, setBroken] = useState<string | null>(null)
  if (url === '' || url === broken) {
    return (
      <span className="avatar letter" aria-hidden="true">
        {firstLetter(name)}
      </span>
    )
  }
  return (
    <img
      className="avatar"
      src={url}
      // The name stands beside it.
      alt=""
      width={32}
      height={32}
      decoding="async"
      referrerPolicy="no-referrer"
      onError={() => setBroken(url)}
    />
  )
}

/** The first character as people count them, so that no emoji is cut in two. */
const firstLetter = (name: string): string => {
  const [first] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(name.trim())
  return first?.segment.toLocaleUpperCase() ?? '?'
}
