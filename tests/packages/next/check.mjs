import { readFileSync } from 'node:fs'

const html = readFileSync('.next/server/app/index.html', 'utf8')
if (!html.includes('<p>Den</p>')) throw new Error('the page was built without its room')
console.log('Next: built, with the picture rendered by the server')
