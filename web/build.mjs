// Builds the page from src/ into ../src/ui/web/bundle/ or the folder given as argument. The same sources give the same
// bytes; with --watch, it builds again after each change until it is killed. app.js is the start; every page is a file of
// its own that is loaded when it is first opened.
import { context } from 'esbuild';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, '../src/ui/web/bundle'));
await mkdir(out, { recursive: true });
for (const name of await readdir(out)) await rm(path.join(out, name));
const building = await context({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx' },
  bundle: true,
  splitting: true,
  minify: true,
  target: ['es2022'],
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  legalComments: 'inline',
  chunkNames: '[name]-[hash]',
  outdir: out,
  logLevel: 'warning',
});
await building.rebuild();
await copyFile(path.join(here, 'src/icon.svg'), path.join(out, 'icon.svg'));
// The browser fetches what app.js imports beside it, not after it.
const imported = [...(await readFile(path.join(out, 'app.js'), 'utf8')).matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g)].map((one) => one[1]);
const preload = imported.map((name) => `<link rel="modulepreload" href="/${name}">\n`).join('');
const html = await readFile(path.join(here, 'src/index.html'), 'utf8');
await writeFile(path.join(out, 'index.html'), html.replace('<script', `${preload}<script`));
// What the server sends to browsers that take it.
for (const name of await readdir(out)) {
  const bytes = await readFile(path.join(out, name));
  await writeFile(path.join(out, `${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT } }));
  await writeFile(path.join(out, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}
if (process.argv.includes('--watch')) await building.watch();
else await building.dispose();
