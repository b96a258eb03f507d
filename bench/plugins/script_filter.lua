-- Does the same as the built-in `filter` with {"drop": NAME}, as a script.
local drop
function initialize(config) drop = config.drop end
function run(batch)
  for point in batch:points() do
    if point.name == drop then point:drop() end
  end
end
