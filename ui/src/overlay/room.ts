/** The one room of an overlay, drawn into the page. All that comes from Discord is text here, and never markup. */

import type { Person, View } from '@guildhall/client'

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true })

/** As Discord lists people in a voice channel. */
const inOrder = (a: Person, b: Person): number =>
  collator.compare(a.displayName, b.displayName) || a.userId.localeCompare(b.userId)

/** Whoever set the link up is told what is wrong; once it was on air it says nothing. */
const NOT_GOOD = 'This overlay link is over, or was not copied whole.'

/** Draws into `place` what it is handed. The same person keeps the same element, so pictures do not flicker. */
export const showRoom = (place: HTMLElement): ((view: View) => void) => {
  const rows = new Map<string, Row>()
  const [notice, section, name, people] = [make('p', 'notice'), make('section', 'room'), make('h1', 'room-name'), make('ul', 'people')]
  section.append(name, people)
  notice.textContent = NOT_GOOD
  let wasShown = false

  return ({ picture, status }) => {
    const [guild] = picture.values()
    const [room] = guild?.rooms.values() ?? []
    place.dataset['connection'] = status.phase
    if (guild === undefined || room === undefined) {
      rows.clear()
      delete place.dataset['guildId']
      const isOver = status.phase === 'signed-out' && !wasShown
      place.replaceChildren(...(isOver ? [notice] : []))
      return
    }
    wasShown = true
    place.dataset['guildId'] = guild.id
    section.dataset['channelId'] = room.channelId
    name.textContent = room.name
    const here = [...room.people.values()].sort(inOrder)
    for (const id of rows.keys()) if (!room.people.has(id)) rows.delete(id)
    put(
      people,
      here.map((person) => {
        const row = rows.get(person.userId) ?? makeRow(person.userId)
        rows.set(person.userId, row)
        row.draw(person)
        return row.element
      }),
    )
    put(place, [section])
  }
}

interface Row {
  readonly element: HTMLElement
  draw(person: Person): void
}

const makeRow = (userId: string): Row => {
  const [element, picture, name] = [make('li', 'person'), make('img', 'avatar'), make('span', 'person-name')]
  const muted = sign('muted', 'Muted', 'M10 2.5a2 2 0 0 1 2 2V9a2 2 0 0 1-4 0V4.5a2 2 0 0 1 2-2zM5 9a5 5 0 0 0 10 0M10 14v3.5M3 3l14 14')
  const deafened = sign('deafened', 'Deafened', 'M3.5 13v-2.5a6.5 6.5 0 0 1 13 0V13M3.5 12H6v4.5H5a1.5 1.5 0 0 1-1.5-1.5zM16.5 12H14v4.5h1a1.5 1.5 0 0 0 1.5-1.5zM3 3l14 14')
  element.dataset['userId'] = userId
  // The name stands beside it.
  picture.alt = ''
  picture.referrerPolicy = 'no-referrer'
  // One that cannot be had leaves its place.
  picture.onerror = () => picture.classList.add('broken')
  return {
    element,
    draw: (person) => {
      if (picture.getAttribute('src') !== person.avatarUrl) {
        picture.classList.remove('broken')
        picture.setAttribute('src', person.avatarUrl)
      }
      name.textContent = person.displayName
      const is = { muted: person.mute || person.selfMute, deafened: person.deaf || person.selfDeaf }
      for (const [flag, on] of Object.entries(is)) element.dataset[flag] = String(on)
      put(element, [picture, name, ...(is.muted ? [muted] : []), ...(is.deafened ? [deafened] : [])])
    },
  }
}

const make = <Name extends keyof HTMLElementTagNameMap>(tag: Name, className: string): HTMLElementTagNameMap[Name] => {
  const element = document.createElement(tag)
  element.className = className
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

const sign = (className: string, meaning: string, drawing: string): SVGElement => {
  const svg = document.createElementNS(SVG, 'svg')
  const path = document.createElementNS(SVG, 'path')
  for (const [name, value] of Object.entries({ class: `flag ${className}`, viewBox: '0 0 20 20', role: 'img', 'aria-label': meaning })) {
    svg.setAttribute(name, value)
  }
  path.setAttribute('d', drawing)
  svg.append(path)
  return svg
}

/** Has these children and no others; where it has them already nothing is touched. */
const put = (parent: Element, children: readonly Element[]): void => {
  const same = parent.childElementCount === children.length && children.every((child, at) => parent.children[at] === child)
  if (!same) parent.replaceChildren(...children)
}
