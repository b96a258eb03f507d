-- Labels points beyond a threshold: does the same as the built-in plugin `threshold_tag`.
--   {"name": "threshold_tag_script", "config": {"match": "^system%.cpu%.utilization$", "warning": 0.8, "critical": 0.95}}

local known = {match = "string", label = "string", warning = "number", critical = "number"}
local match, label, warning, critical

function initialize(config)
  for name, value in pairs(config) do
    if not known[name] then error("unknown option \"" .. name .. "\" (known: match, label, warning, critical)", 0) end
    if type(value) ~= known[name] then error("\"" .. name .. "\" must be a " .. known[name], 0) end
  end
  match = config.match or error("\"match\" must be a Lua pattern", 0)
  label = config.label or "level"
  warning, critical = config.warning, config.critical
  if not warning and not critical then error("\"warning\" or \"critical\" must be a number", 0) end
  string.find("", match) -- what is no pattern fails here, and not with every tick
end

function run(batch)
  for point in batch:points() do
    if string.find(point.name, match) then
      local value = point.value
      if critical and value >= critical then
        point:set_label(label, "critical")
      elseif warning and value >= warning then
        point:set_label(label, "warning")
      end
    end
  end
end
