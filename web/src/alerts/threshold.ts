// Why an alert fired: the part of its expression that is compared, and what it is compared with.

export interface Condition { left: string; operator: string; threshold: number }

const OPERATORS = ['>=', '<=', '==', '!=', '>', '<'];

// The places of an expression that are in no brackets, braces or texts.
function* topLevel(expression: string): Generator<number> {
  let depth = 0;
  let quote = '';
  for (let i = 0; i < expression.length; ++i) {
    const c = expression[i]!;
    if (quote !== '') {
      if (c === '\\') ++i;
      else if (c === quote) quote = '';
    } else if ('"\'`'.includes(c)) quote = c;
    else if ('([{'.includes(c)) ++depth;
    else if (')]}'.includes(c)) --depth;
    else if (depth === 0) yield i;
  }
}

// The first comparison with a number; null: there is none, such as in an expression that compares two metrics.
export function conditionOf(expression: string): Condition | null {
  let start = 0;
  for (const i of topLevel(expression)) {
    const word = /^(and|or|unless)\b/.exec(expression.slice(i));
    if (word !== null && !/\w/.test(expression[i - 1] ?? '')) {
      start = i + word[0].length;
      continue;
    }
    const operator = OPERATORS.find((one) => expression.startsWith(one, i));
    if (operator === undefined) continue;
    const rest = /^\s*(?:bool\s+)?([-+]?[\d.]+(?:e[-+]?\d+)?(?:\s*\*\s*[\d.]+)*)\s*(?:$|and\b|or\b|unless\b|\))/i.exec(expression.slice(i + operator.length));
    if (rest === null) continue;
    const threshold = rest[1]!.split('*').reduce((product, one) => product * Number(one.trim()), 1);
    return { left: expression.slice(start, i).trim(), operator, threshold };
  }
  return null;
}
