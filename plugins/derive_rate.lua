-- The rate of counters: what the built-in `derive` does with {"what": "rate"}, as a script.
--   {"name": "derive_rate", "config": {"match": "^system%.disk%.io$", "suffix": ".rate"}}
-- match: a pattern of Lua; a value that went down is a new baseline.

local match, suffix

function initialize(config)
  match = config.match or error("\"match\" must be a pattern of names")
  suffix = config.suffix or ".rate"
end

-- One text for a series: its name and labels in order.
local function key_of(point)
  local parts = {}
  for name, value in pairs(point.labels) do parts[#parts + 1] = name .. "=" .. value end
  table.sort(parts)
  return point.name .. "{" .. table.concat(parts, ",") .. "}"
end

function run(batch)
  state.last = state.last or {}
  for point in batch:points() do
    if string.find(point.name, match) then
      local key, value = key_of(point), point.value
      local last = state.last[key]
      if last and value >= last.value and batch.mono > last.time then
        local rate = (value - last.value) / (batch.mono - last.time)
        batch:add{name = point.name .. suffix, unit = point.unit .. "/s", value = rate, labels = point.labels}
      end
      state.last[key] = {value = value, time = batch.mono}
    end
  end
end
