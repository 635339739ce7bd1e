// Elements, and how those on the page become those that are wanted.

export const at = (id) => document.getElementById(id)

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (name === 'class') made.className = value
    else if (name in made && typeof value !== 'string') made[name] = value
    else made.setAttribute(name, value)
  }
  made.append(...children.filter((child) => child !== null))
  return made
}

const SIGNS = {
  voice: 'M3 8v4h3l4 3.5v-11L6 8zM13 7.5a3.5 3.5 0 0 1 0 5M15.2 5a7 7 0 0 1 0 10',
  stage: 'M10 3a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM4 17c0-3.5 2.7-6 6-6s6 2.5 6 6zM2.5 10a7.5 7.5 0 0 1 2-5M17.5 10a7.5 7.5 0 0 0-2-5',
  muted: 'M10 2.5a2 2 0 0 1 2 2V9a2 2 0 0 1-4 0V4.5a2 2 0 0 1 2-2zM5 9a5 5 0 0 0 10 0M10 14v3.5M3 3l14 14',
  deafened: 'M3.5 13v-2.5a6.5 6.5 0 0 1 13 0V13M3.5 12H6v4.5H5a1.5 1.5 0 0 1-1.5-1.5zM16.5 12H14v4.5h1a1.5 1.5 0 0 0 1.5-1.5zM3 3l14 14',
  video: 'M2.5 6H12v8H2.5zM12 9l5-2.5v7L12 11z',
  streaming: 'M2.5 4.5h15v9.5h-15zM7 17h6M8.5 7l4 2.2-4 2.3z',
}

/** A drawing, with what it means for whoever cannot see it. */
export function sign(drawing, meaning, tone = '') {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('class', `sign ${tone}`.trim())
  svg.setAttribute('viewBox', '0 0 20 20')
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', SIGNS[drawing])
  svg.append(path)
  return element('span', { role: 'img', 'aria-label': meaning, title: meaning }, svg)
}

/** What each child that was made late says. */
const saidBy = new WeakMap()

/**
 * A child for `fill` that is made only where there is none by this key that says the same:
 * of a thousand people one has moved, and the others need not be drawn to find that out.
 */
export const late = (tag, key, says, make) => ({ nodeName: tag.toUpperCase(), dataset: { key }, says: JSON.stringify(says), make })

/** Where a child with this key may be what is wanted; without a key any of its kind. */
const placeOf = (node) => `${node.nodeName} ${node.dataset?.key ?? ''}`

/**
 * Makes the children of `parent` these. What is there already and has the same key
 * stays and is only brought up to date, so that a press or the keyboard's focus is
 * not lost to a change that came meanwhile. Listeners stay too: they look up what
 * they need when they are called. Children of a `data-filled` are filled by themselves.
 */
export function fill(parent, ...children) {
  const wanted = children.filter((child) => child !== null)
  const before = Map.groupBy(parent.childNodes, placeOf)
  const result = wanted.map((next) => {
    const old = before.get(placeOf(next))?.shift()
    if (next.make === undefined) return old === undefined ? next : update(old, next)
    if (old !== undefined && saidBy.get(old) === next.says) return old
    const made = old === undefined ? next.make() : update(old, next.make())
    saidBy.set(made, next.says)
    return made
  })
  for (const left of before.values()) for (const old of left) old.remove()
  let here = parent.firstChild
  for (const node of result) {
    if (node === here) here = here.nextSibling
    else parent.insertBefore(node, here)
  }
}

function update(old, next) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data
    return old
  }
  for (const { name } of [...old.attributes]) {
    // Who has just come stays lit up, whatever else changes meanwhile.
    if (!next.hasAttribute(name) && name !== 'data-fresh') old.removeAttribute(name)
  }
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  if (!next.hasAttribute('data-filled')) fill(old, ...next.childNodes)
  return old
}
