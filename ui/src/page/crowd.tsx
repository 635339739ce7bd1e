/** A list of very many people: of it only what is near to where one looks is there, block by block. */

import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from 'react'

import type { PeopleProps } from './person'
import { ToolsContext, useTools } from './tools'

/** Full rows, in as many columns as there may be. */
export const PER_BLOCK = 60
/** What comes into view within a turn of the wheel is there already. */
const NEAR = '800px'

export const Crowd = ({ people, className, labelledBy, render }: PeopleProps) => {
  const tools = useTools()
  // Whoever one scrolls to has not just come.
  const calm = useMemo(() => ({ ...tools, isSettled: () => false }), [tools])
  const blocks = Array.from({ length: Math.ceil(people.length / PER_BLOCK) }, (_, at) => at)
  return (
    <ToolsContext value={calm}>
      <ul className="crowd" aria-labelledby={labelledBy}>
        {blocks.map((at) => (
          <Block key={at} isFirst={at === 0} className={className}>
            {() => people.slice(at * PER_BLOCK, (at + 1) * PER_BLOCK).map(render)}
          </Block>
        ))}
      </ul>
    </ToolsContext>
  )
}

interface BlockProps {
  readonly isFirst: boolean
  readonly className: string
  /** Asked for only where it is shown. */
  readonly children: () => ReactNode
}

const Block = ({ isFirst, className, children }: BlockProps) => {
  const place = useRef<HTMLLIElement>(null)
  const [isNear, setNear] = useState(isFirst || typeof IntersectionObserver === 'undefined')
  // As high as it was when it was last there, and before that as the first one is.
  const [height, setHeight] = useState(0)
  useLayoutEffect(() => {
    const { current } = place
    if (current === null || typeof IntersectionObserver === 'undefined') return
    setHeight(current.parentElement?.firstElementChild?.clientHeight ?? 0)
    const observer = new IntersectionObserver(
      (entries) => {
        const { isIntersecting, boundingClientRect } = entries.at(-1) ?? {}
        // Who is on the way through it by keyboard is not thrown out.
        if (!isIntersecting && current.contains(document.activeElement)) return
        if (!isIntersecting && boundingClientRect !== undefined) setHeight(boundingClientRect.height)
        setNear(isIntersecting === true)
      },
      { rootMargin: NEAR },
    )
    observer.observe(current)
    return () => observer.disconnect()
  }, [])
  return (
    <li ref={place} role="none" style={isNear ? undefined : { height }}>
      {isNear && (
        <ul role="none" className={className}>
          {children()}
        </ul>
      )}
    </li>
  )
}
