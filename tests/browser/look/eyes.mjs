/** What machines see of a page: who is shut out, what is cut off, where nothing stands. */

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds, contrast included. */
export const findings = async (page) => {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`)}`)
  })
}

/** What reaches beyond the window's sides. */
export const tooWide = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const isClipped = (element) => {
      for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
        if (getComputedStyle(parent).overflowX !== 'visible') return true
      }
      return false
    }
    const out = [...document.querySelectorAll('body *')].filter((element) => {
      const { left, right, width: own } = element.getBoundingClientRect()
      return own > 0 && (right > width + 1 || left < -1) && !isClipped(element) && !element.matches('.visually-hidden, .skip')
    })
    const page = document.documentElement.scrollWidth - width
    return [...(page > 0 ? [`the page by ${page} px`] : []), ...out.slice(0, 3).map((element) => `${element.tagName}.${element.className}`)]
  })

/** Names that are cut off where they begin: right to left that is at the right. */
export const wrongEnds = (page) =>
  page.evaluate(() => {
    const isRightToLeft = /^[^\p{L}]*[\p{Script=Arabic}\p{Script=Hebrew}]/u
    return [...document.querySelectorAll('.person-name, .person > .name > span:first-child, .people b')]
      .filter((name) => name.scrollWidth > name.clientWidth && isRightToLeft.test(name.textContent))
      .filter((name) => getComputedStyle(name).direction !== 'rtl')
      .map((name) => `${name.className} ${name.textContent}`)
  })

/** Rows in which one sees nothing, and names of no width. */
export const emptyRows = (page) =>
  page.evaluate(() => {
    const shows = /[^\s\p{C}\p{Z}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u
    const names = [...document.querySelectorAll('.person-name, .person > .name, .room-name, h1, h2, h3, h4, .badge')]
    return names
      .filter((name) => !name.matches('.visually-hidden') && name.checkVisibility({ contentVisibilityAuto: true }))
      .filter((name) => !shows.test(name.textContent) || name.getBoundingClientRect().width < 8)
      .map((name) => `${name.className || name.tagName} ${JSON.stringify(name.textContent)}`)
  })
