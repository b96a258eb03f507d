// The answer of a query at one moment, the largest values first.
import type { Sample } from './query';

const MOST = 500;

export function SampleTable({ samples }: { samples: Sample[] }) {
  const labels = [...new Set(samples.flatMap((one) => Object.keys(one.metric)))].sort((a, b) => Number(b === '__name__') - Number(a === '__name__') || a.localeCompare(b));
  const rows = [...samples].sort((a, b) => b.value - a.value).slice(0, MOST);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Answer"><table>
        <caption>Answer</caption>
        <thead><tr>{labels.map((one) => <th key={one} scope="col">{one === '__name__' ? 'metric' : one}</th>)}<th scope="col" class="num">Value</th></tr></thead>
        <tbody>{rows.map((row) => <tr key={JSON.stringify(row.metric)}>{labels.map((one) => <td key={one}>{row.metric[one] ?? ''}</td>)}<td class="num">{row.text}</td></tr>)}</tbody>
      </table></div>
      {samples.length > MOST && <p class="dim">{MOST} of {samples.length} values.</p>}
    </>
  );
}
