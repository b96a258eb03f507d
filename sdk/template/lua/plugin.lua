-- template_name: adds a label to every series: option `label` (default "team") is its name, `value` (default "ops") its
-- value. If option `keep` is given, drops all points whose names are not in it. Replace this with your own code.
local label, value, keep

function initialize(config)  -- once; config is the entry's "config"
  label = config.label or "team"
  value = config.value or "ops"
  if label == "" then error("label must not be empty", 0) end
  if config.keep then
    keep = {}
    for _, name in ipairs(config.keep) do keep[name] = true end
  end
end

function run(batch)  -- every tick; false drops it
  state.ticks = (state.ticks or 0) + 1  -- `state` passes to the next version of the script
  local left = 0
  for point in batch:points() do
    if keep and not keep[point.name] then
      point:drop()
    else
      point:set_label(label, value)
      left = left + 1
    end
  end
  return left > 0
end
