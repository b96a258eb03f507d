// Checks the sizes of a built page, compressed with Brotli as a browser gets it: all of it, and what the first view of each
// page loads. Also checks that the compressed files contain the others.
//   node budgets.mjs FOLDER
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const MOST_IN_TOTAL = 250_000;
const MOST_AT_FIRST = 90_000;
const folder = process.argv[2];

const files = new Map();
for (const name of await readdir(folder)) {
  if (/\.(br|gz)$/.test(name)) continue;
  const bytes = await readFile(path.join(folder, name));
  const brotli = await readFile(path.join(folder, `${name}.br`));
  const gzip = await readFile(path.join(folder, `${name}.gz`));
  if (!brotliDecompressSync(brotli).equals(bytes) || !gunzipSync(gzip).equals(bytes)) throw new Error(`${name}: its compressed forms differ from it; rebuild them with: tools/web build`);
  files.set(name, { text: bytes.toString(), size: brotli.length });
}

// The files that a file loads with itself, and those that it loads when they are first needed.
const imports = (name) => [...files.get(name).text.matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g)].map((one) => one[1]);
const pages = (name) => [...files.get(name).text.matchAll(/import\("\.\/([\w-]+\.js)"\)/g)].map((one) => one[1]);

function closure(names) {
  const found = new Set(names);
  for (const name of found) for (const one of name.endsWith('.js') ? imports(name) : []) found.add(one);
  return found;
}

const size = (names) => [...names].reduce((sum, name) => sum + files.get(name).size, 0);
const START = ['index.html', 'app.css', 'app.js', 'icon.svg'];
const total = size(files.keys());
console.log(`the whole page: ${total} bytes compressed, of ${MOST_IN_TOTAL}`);
let bad = total > MOST_IN_TOTAL;
const found = [...new Set([...closure(['app.js'])].flatMap(pages))];
if (found.length < 5) throw new Error(`only ${found.length} pages are loaded when they are opened`);
for (const page of found) {
  const first = size(closure([...START, page]));
  console.log(`first view of ${page.replace(/-\w+\.js$/, '')}: ${first} bytes compressed, of ${MOST_AT_FIRST}`);
  bad ||= first > MOST_AT_FIRST;
}
process.exitCode = bad ? 1 : 0;
