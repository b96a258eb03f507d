// Builds the page from src/ into ../src/ui/web/bundle/ or the folder given as argument. The same sources give the same
// bytes.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, '../src/ui/web/bundle'));
await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.ts' },
  bundle: true,
  minify: true,
  target: ['es2022'],
  format: 'iife',
  charset: 'utf8',
  legalComments: 'inline',
  outdir: out,
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) await copyFile(path.join(here, 'src', name), path.join(out, name));
