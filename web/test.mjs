// Runs the tests next to the sources (src/*_test.ts) that need no browser.
import { build } from 'esbuild';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(path.join(tmpdir(), 'monitor-web-'));
try {
  const tests = (await readdir(path.join(here, 'src'))).filter((name) => name.endsWith('_test.ts'));
  await build({ absWorkingDir: here, entryPoints: tests.map((name) => `src/${name}`), bundle: true, platform: 'node', format: 'esm', outdir: out, outExtension: { '.js': '.mjs' }, logLevel: 'warning' });
  const ran = spawnSync(process.execPath, ['--test', out], { cwd: here, stdio: 'inherit' });
  process.exitCode = ran.status ?? 1;
} finally {
  await rm(out, { recursive: true });
}
