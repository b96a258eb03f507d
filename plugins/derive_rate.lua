-- The rate of counters: does the same as the built-in plugin `derive` with {"what": "rate"}.
--   {"name": "derive_rate", "config": {"match": "^system%.disk%.io$", "suffix": ".rate"}}
-- match: a Lua pattern for names. A value that has decreased becomes the new baseline.

local known = {match = "string", suffix = "string"}
local match, suffix

function initialize(config)
  for name, value in pairs(config) do
    if not known[name] then error("unknown option \"" .. name .. "\" (known: match, suffix)", 0) end
    if type(value) ~= known[name] then error("\"" .. name .. "\" must be a " .. known[name], 0) end
  end
  match = config.match or error("\"match\" must be a Lua pattern", 0)
  suffix = config.suffix or ".rate"
  string.find("", match) -- an invalid pattern fails here, not in every tick
end

-- A unique key for a series: its name and its sorted labels.
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
        local unit = point.unit == "" and "1" or point.unit
        batch:add{name = point.name .. suffix, unit = unit .. "/s", value = rate, labels = point.labels}
      end
      state.last[key] = {value = value, time = batch.mono}
    end
  end
end
