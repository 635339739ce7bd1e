/** The few drawings of the page. Those that mean something carry their meaning as text. */

import type { ReactNode } from 'react'

import { useWords } from '../words/language'

/** The product's mark. */
export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect className="mark-ground" width="32" height="32" rx="8" />
    <path
      className="mark-hall"
      d="M16 5 5.5 11.5V14h21v-2.5zM7 15.5h3.6v8H7zm7.2 0h3.6v8h-3.6zm7.2 0H25v8h-3.6zM5.5 24.5h21V27h-21z"
    />
  </svg>
)

export const RoomIcon = ({ kind }: { readonly kind: 'voice' | 'stage' }) => {
  const words = useWords()
  return (
    <svg className="room-icon" viewBox="0 0 20 20" role="img" aria-label={kind === 'stage' ? words.stage : words.voiceRoom}>
      {kind === 'stage' ? (
        <path d="M10 3a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM4 17c0-3.5 2.7-6 6-6s6 2.5 6 6zM2.5 10a7.5 7.5 0 0 1 2-5M17.5 10a7.5 7.5 0 0 0-2-5" />
      ) : (
        <path d="M3 8v4h3l4 3.5v-11L6 8zM13 7.5a3.5 3.5 0 0 1 0 5M15.2 5a7 7 0 0 1 0 10" />
      )}
    </svg>
  )
}

/** Signs of buttons, whose meaning the button says. */
const signs = {
  back: 'M12.5 4 6.5 10l6 6',
  close: 'M5 5l10 10M15 5 5 15',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  activity: 'M2.5 10.5h3.5L8.5 4l4 12 2.3-5.5h2.7',
  plus: 'M10 4v12M4 10h12',
  out: 'M11 4.5H5.5v11H11M9 10h8M14 7l3 3-3 3',
} satisfies Record<string, string>

export const Sign = ({ drawing }: { readonly drawing: keyof typeof signs }) => (
  <svg className="sign" data-drawing={drawing} viewBox="0 0 20 20" aria-hidden="true">
    <path d={signs[drawing]} />
  </svg>
)

const drawings = {
  muted: 'M10 2.5a2 2 0 0 1 2 2V9a2 2 0 0 1-4 0V4.5a2 2 0 0 1 2-2zM5 9a5 5 0 0 0 10 0M10 14v3.5M3 3l14 14',
  deafened: 'M3.5 13v-2.5a6.5 6.5 0 0 1 13 0V13M3.5 12H6v4.5H5a1.5 1.5 0 0 1-1.5-1.5zM16.5 12H14v4.5h1a1.5 1.5 0 0 0 1.5-1.5zM3 3l14 14',
  video: 'M2.5 6H12v8H2.5zM12 9l5-2.5v7L12 11z',
  streaming: 'M2.5 4.5h15v9.5h-15zM7 17h6M8.5 7l4 2.2-4 2.3z',
} satisfies Record<string, string>

interface FlagProps {
  readonly drawing: keyof typeof drawings
  readonly meaning: string
  readonly by: 'themselves' | 'server' | 'stream'
}

/** A small sign beside a person. */
export const Flag = ({ drawing, meaning, by }: FlagProps) => (
  <Labelled className={by === 'stream' ? 'flag streams' : `flag by-${by}`} meaning={meaning}>
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <path d={drawings[drawing]} />
    </svg>
  </Labelled>
)

interface LabelledProps {
  readonly className: string
  readonly meaning: string
  readonly children: ReactNode
}

export const Labelled = ({ className, meaning, children }: LabelledProps) => (
  <span className={className} role="img" aria-label={meaning} title={meaning}>
    {children}
  </span>
)
