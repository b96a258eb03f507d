// Values that others may write under the keys that agents and the configuration commands read: layers, overrides with
// their expiry, statuses, the inventory, and patterns. The input is a NUL-separated list of values for keys in layer
// order.
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "config/fleet.h"
#include "plugins/builtin/registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::array<const char*, 7> kKeys = {"/monitor/config/a",
                                                "/monitor/defaults",
                                                "/monitor/groups/g",
                                                "/monitor/overrides/agents/a/x",
                                                "/monitor/overrides/groups/g/x",
                                                "/monitor/status/a",
                                                "/monitor/inventory/a"};
  config::StoredKeys keys;
  int64_t revision = 0;
  for (const char* const key : kKeys) {
    const size_t end = text.find('\0');
    keys[key] = {std::string(text.substr(0, end)), ++revision};
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  constexpr int64_t kNow = 1'700'000'000'000'000'000;
  const auto made = config::layers_of(keys, "a", kNow, [](const std::string& key) { return key; });
  if (made.problems.empty()) {
    static const agent::BuiltinCatalog catalog;
    (void)config::validate(made.set.layers, catalog);
    (void)config::explain(made.set.layers);
    (void)config::document_hash(made.set.layers);
    (void)config::needed_versions(config::merge_layers(made.set.layers));
  }
  for (const auto& row : config::fleet_of(keys, kNow, 30'000'000'000)) (void)config::to_json(row.status);
  (void)glob_match(keys["/monitor/config/a"].value, keys["/monitor/defaults"].value);
  return 0;
}
