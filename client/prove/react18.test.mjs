import { version } from 'react'
import { version as versionOfDom } from 'react-dom'
import { expect, it } from 'vitest'

it('is React 18 that these tests run with', () => {
  expect([version, versionOfDom]).toEqual([expect.stringMatching(/^18\./), expect.stringMatching(/^18\./)])
})
