// The tokens of JSON, for colours.
import { tokensBy } from '../ui/code_tokens';

export const jsonTokens = tokensBy(/"(?:[^"\\\n]|\\.)*"?(?=(\s*:)?)|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g,
  ([text, colon]) => (text!.startsWith('"') ? (colon === undefined ? 'text' : 'name') : /^[tfn]/.test(text!) ? 'word' : 'number'));
