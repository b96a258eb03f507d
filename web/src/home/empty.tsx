// The fleet has no hosts yet: how to start one.
import { Command, Empty } from '../ui/states';
import { link } from '../lib/page';

export function EmptyFleet() {
  const server = `${location.hostname}:50051`;
  return (
    <Empty icon="host" title="No hosts yet">
      <p>Start an agent on a host. It appears here with its first reading.</p>
      <Command text={`monitor-agent --agent-id "$(hostname)" --server ${server} --config-dir ~/.config/monitor`} />
      <p class="dim">A server on another host needs TLS or a join token: <code>monitor init --help</code> sets up an agent in one line. Agents that the configuration already knows are listed under <a href={link('config')}>Configuration</a>.</p>
    </Empty>
  );
}
