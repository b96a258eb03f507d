// The tokens of PromQL, for colours.
import { tokensBy } from '../ui/code_tokens';

const WORDS = new Set(['and', 'atan2', 'avg', 'bool', 'bottomk', 'by', 'count', 'count_values', 'end', 'group', 'group_left', 'group_right', 'ignoring', 'inf', 'limit_ratio', 'limitk', 'max', 'min', 'nan', 'offset', 'on', 'or', 'quantile', 'start', 'stddev', 'stdvar', 'sum', 'topk', 'unless', 'without']);

export const promqlTokens = tokensBy(/#.*|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?|[a-zA-Z_:][\w:]*(?=(\s*\()?(\s*(?:=|!=|=~|!~))?)|\d+(?:\.\d+)?(?:[eE][+-]?\d+|(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)?/g,
  ([text, call, matcher]) => {
    if (text!.startsWith('#')) return 'comment';
    if (/^["'`]/.test(text!)) return 'text';
    if (/^\d/.test(text!)) return 'number';
    if (WORDS.has(text!.toLowerCase())) return 'word';
    return call !== undefined ? 'function' : matcher !== undefined ? 'name' : null;
  });
