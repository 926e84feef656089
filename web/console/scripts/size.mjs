// Fails when what a browser loads up to the first chart exceeds the budget: of the page that the console opens with (the overview,
// whose charts are drawn without a library), and of the lightest one with a chart of the library (CTR). Reads dist/.vite/manifest.json:
// the entry and what it imports, the view and the chart library, each gzipped as a server would send it.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 300 * 1000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const chartLibrary = Object.keys(manifest).find((key) => manifest[key].name === 'echarts');

function filesOf(roots) {
  const files = new Set(['index.html', 'theme.js']);
  function visit(key) {
    const chunk = manifest[key];
    if (chunk === undefined) throw new Error(`size: ${key} is not in the build's manifest; was it renamed?`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const asset of chunk.assets ?? []) files.add(asset);
    for (const next of chunk.imports ?? []) visit(next);
  }
  roots.forEach(visit);
  return files;
}

let isOver = false;
for (const [name, figure, roots] of [
  ['the overview', 'console_overview_kb', ['index.html', 'src/views/OverviewView.tsx']],
  ['the first chart of the library', 'console_first_chart_kb', ['index.html', 'src/views/CtrView.tsx', chartLibrary]],
]) {
  let total = 0;
  for (const file of filesOf(roots)) {
    const bytes = readFileSync(new URL(file, dist));
    const sent = file.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length;
    total += sent;
    console.log(`${String(sent).padStart(8)}  ${file}`);
  }
  console.log(`${String(total).padStart(8)}  to ${name}, gzipped; budget ${BUDGET_BYTES}`);
  console.log(`FIGURE ${figure} ${(total / 1000).toFixed(1)} KB <=300`);
  isOver ||= total > BUDGET_BYTES;
}
if (isOver) {
  console.error('size: over budget');
  process.exit(1);
}
