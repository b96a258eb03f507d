// The values that an agent runs with, and where each of them comes from.
import { link } from '../lib/page';
import { layerName } from './layers';
import type { ConfigModel } from './model';

export function Effective({ model }: { model: ConfigModel }) {
  const found = model.facts.explained.value;
  if (found === null) return null;
  return (
    <section class="explained" aria-label="Effective configuration">
      <h3>Effective configuration of {found.agent}</h3>
      <p class="dim">As stored now. Layers, lowest first: built in{found.layers.map((one) => <span key={one.layer}> &lt; <button class="plain" onClick={() => void model.open(one.layer)}>{layerName(one.layer)}</button></span>)}. <a href={link('agent', { agents: found.agent })}>Charts</a></p>
      {found.problems.map((one) => <p key={one.text} class={one.warning ? 'dim' : 'warn'}>{one.text}</p>)}
      <div class="scroll" tabIndex={0} role="region" aria-label="Values"><table>
        <caption>Values</caption>
        <thead><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
        <tbody>{found.values.map((one) => (
          <tr key={one.path} data-path={one.path}>
            <td><code>{one.path.slice(1)}</code></td><td class="value">{JSON.stringify(one.value)}</td>
            <td>{one.layer === null ? <span class="dim">built in</span> : <button class="plain" title={one.key ?? ''} onClick={() => void model.open(one.layer!)}>{layerName(one.layer)}</button>}{one.revision !== 0 && <span class="dim"> revision {one.revision}</span>}</td>
          </tr>
        ))}</tbody>
      </table></div>
    </section>
  );
}
