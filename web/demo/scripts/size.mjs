// Fails when what a browser loads for the first page exceeds the budget: every script and style of dist/, gzipped as a server would
// send it.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 60 * 1000;
const dist = new URL('../dist/', import.meta.url);
const files = ['index.html', 'theme.js', ...readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`)];

let total = 0;
for (const file of files.filter((name) => /\.(html|js|css)$/.test(name))) {
  const sent = gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
  total += sent;
  console.log(`${String(sent).padStart(8)}  ${file}`);
}
console.log(`FIGURE demo_first_page_kb ${(total / 1000).toFixed(1)} KB <=60`);
if (total > BUDGET_BYTES) {
  console.error('size: over budget');
  process.exit(1);
}
