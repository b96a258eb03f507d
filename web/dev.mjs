// Serves a built page from a folder, and passes its requests on to a running `monitor-analysis serve`: to work on the page
// without linking a program. Called by `tools/web dev`.
//   node dev.mjs FOLDER http://HOST:PORT [LISTEN-PORT]
import http from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const [folder, target, port = '8090'] = process.argv.slice(2);
const server = new URL(target);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };

function pass(request, response) {
  const headers = { ...request.headers, host: server.host };
  if (headers.origin !== undefined) headers.origin = server.origin;
  const on = http.request({ host: server.hostname, port: server.port, path: request.url, method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  on.on('error', () => { response.writeHead(502).end(); });
  response.on('close', () => on.destroy());
  request.pipe(on);
}

async function file(request, response) {
  const name = request.url === '/' ? 'index.html' : path.basename(request.url);
  try {
    const bytes = await readFile(path.join(folder, name));
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'";
    response.writeHead(200, { 'Content-Type': TYPES[path.extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

http.createServer((request, response) => void (request.url.startsWith('/api/') ? pass(request, response) : file(request, response)))
  .listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
