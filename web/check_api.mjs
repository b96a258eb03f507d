// Checks an OpenAPI document, and replies of a server against the schemas that the document declares. For tests.
//
// Reads {"document": ..., "values": [{"name": ..., "value": ..., "schema": JSON pointer into the document}]} from stdin;
// prints one line per fault; exits with 1 if there is any.
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { document, values } = JSON.parse(text);
const faults = [];

const specification = await new Validator().validate(structuredClone(document));
if (!specification.valid) faults.push(`the document is not OpenAPI: ${JSON.stringify(specification.errors)}`);

// Clients must tolerate unknown fields, so the document does not forbid them. But the server must not send undeclared
// fields.
function close(schema) {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map(close);
  const closed = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, close(value)]));
  const declared = closed.type === 'object' && typeof closed.properties === 'object';
  return declared && closed.additionalProperties === undefined ? { ...closed, additionalProperties: false } : closed;
}

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ ...close(document), $id: 'api' });
for (const { name, value, schema } of values) {
  const validate = ajv.compile({ $ref: `api#${schema}` });
  if (validate(value)) continue;
  for (const error of validate.errors) faults.push(`${name}: ${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
}

for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
