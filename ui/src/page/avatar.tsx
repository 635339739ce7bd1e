/** A person's picture, or the first letter of their name while there is none. */

import { useState } from 'react'

import { faceOf, firstLetter } from './names'

interface AvatarProps {
  readonly userId: string
  readonly name: string
  readonly url: string
}

export const Avatar = ({ userId, name, url }: AvatarProps) => {
  // Remembered by address: a new picture gets a new chance.
  const [broken, setBroken] = useState<string | null>(null)
  if (url === '' || url === broken) {
    return (
      <span className="avatar letter" data-face={faceOf(userId)} aria-hidden="true">
        {firstLetter(name)}
      </span>
    )
  }
  return (
    <img
      className="avatar"
      data-face={faceOf(userId)}
      src={url}
      // The name stands beside it.
      alt=""
      width={32}
      height={32}
      decoding="async"
      loading="lazy"
      onError={() => setBroken(url)}
    />
  )
}
