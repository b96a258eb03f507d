// Reads the OpenAPI document from stdin and writes the types of our own API to stdout: src/api/types.ts.
// tests/e2e/web_api_test.py compares them with the document of a running server.
import openapiTS, { astToString } from 'openapi-typescript';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const document = JSON.parse(text);
// The version of the program changes without the API.
document.info.version = '';
for (const path of Object.keys(document.paths)) if (!path.startsWith('/api/ui/')) delete document.paths[path];
const types = astToString(await openapiTS(document, { alphabetize: true }));
process.stdout.write(`// Generated from the OpenAPI document by \`tools/web types\`. Do not edit.\n\n${types}`);
