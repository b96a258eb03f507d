// No plugin is in use: how to use one, and how to write one.
import { link } from '../lib/page';
import { Command, Empty } from '../ui/states';

const SCRIPT = `cat > hot.lua <<'END'
function run(batch)
  for point in batch:points() do
    if point.name == "system.cpu.utilization" and point.value > 0.9 then
      point:set_label("hot", "yes")
    end
  end
end
END`;

export function Start({ known }: { known: string[] }) {
  return (
    <Empty icon="plugins" title="No plugin is in use">
      <p>Every tick passes through the plugins that an agent's configuration names, before it is in a batch. A plugin changes, adds or drops points; what it drops is counted and shown in the <a href={link('ledger')}>ledger</a>.</p>
      <div class="start-steps">
        <h3>Use a built-in plugin</h3>
        <p>{known.length > 0 && <>There are {known.map((name, i) => <span key={name}>{i > 0 && ', '}<code>{name}</code></span>)}. </>}For all agents, drop values that have not changed:</p>
        <Command text="monitor config --defaults --plugins deduplication" />
        <h3>Write a script</h3>
        <p>A Lua file with a function <code>run</code>, tried on readings of this host before any agent runs it:</p>
        <Command text={SCRIPT} />
        <Command text="monitor agent --once --format json > ticks.json" />
        <Command text="monitor plugin test hot.lua --input ticks.json" />
        <p>Put it into the agent's plugin folder, and name it in the configuration:</p>
        <Command text={'cp hot.lua DATA/plugins/hot.lua\nmonitor config --agent-id AGENT --plugins hot'} />
        <h3>Write a native plugin in C++</h3>
        <p>The template builds and tests as it is:</p>
        <Command text="monitor plugin new my_tag" />
        <Command text="cmake -G Ninja -S my_tag -B my_tag/build && cmake --build my_tag/build && ctest --test-dir my_tag/build" />
        <Command text={'monitor plugin test my_tag/build/my_tag.so --input ticks.json --config \'{"value": "db"}\''} />
        <Command text={'cp my_tag/build/my_tag.so DATA/plugins/.new && mv DATA/plugins/.new DATA/plugins/my_tag.so\nmonitor config --agent-id AGENT --plugins my_tag'} />
        <p class="dim"><code>DATA</code> is the agent's <code>--data</code>. <code>monitor plugin list --data DATA</code> lists what an agent can run, and why it rejects the others. With <code>"shadow": true</code>, a plugin runs without effect and is only counted. Scripts and native plugins run in a sandbox of their own: one that fails costs at most the tick that it is processing. <code>docs/plugins.md</code> has all of it.</p>
      </div>
    </Empty>
  );
}
