// Runs the bot of docs/simulator.md and its test, as they stand on that page, against the
// simulator at argv[2], such as http://127.0.0.1:4000.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(join(here, '../../../docs/simulator.md'), 'utf8');
// Beside node_modules, where Node looks for what they import.
const folder = mkdtempSync(join(here, '.manual-'));
try {
  for (const name of ['bot.mjs', 'bot.test.mjs']) {
    const begin = page.indexOf(`\`\`\`js\n// ${name}\n`);
    const end = page.indexOf('\n```', begin + 3);
    if (begin < 0) throw new Error(`docs/simulator.md has no ${name}.`);
    writeFileSync(join(folder, name), page.slice(begin + 6, end + 1));
  }
  const env = { ...process.env, SIMULATOR: process.argv[2] };
  const { status, signal } = spawnSync('node', ['bot.test.mjs'], { cwd: folder, env, stdio: 'inherit', timeout: 60_000 });
  if (status !== 0) throw new Error(`The test on the page failed (${status ?? signal}).`);
  console.log('The bot of the manual passes the test of the manual.');
} finally {
  rmSync(folder, { recursive: true });
}
