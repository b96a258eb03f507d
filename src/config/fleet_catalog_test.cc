// The warnings and errors that an author gets about plugins that are not built in.
#include "config/fleet_catalog.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace monitor::config {
namespace {

constexpr int64_t kNow = 1'700'000'000 * kNanosPerSecond;

class Builtin final : public PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return {"filter"}; }
  std::optional<Problem> check_plugin(const std::string& /*name*/, const std::string& /*config*/) const override {
    return std::nullopt;
  }
  std::optional<std::string> elsewhere(const std::string& name) const override {
    return name == "filtre" ? std::nullopt : std::optional<std::string>("not told");
  }
};

struct World {
  void agent(const std::string& id, bool alive, const std::vector<std::string>& plugins) {
    AgentInventory inventory{"h", {}, "0.2.0", kNow, plugins};
    keys[inventory_key(id)] = {to_json(inventory), 1};
    AgentStatus status;
    status.updated_ns = alive ? kNow : kNow - 100 * kNanosPerSecond;
    keys[status_key(id)] = {to_json(status), 1};
  }
  // The first problem of a document with this plugin; "" if there is none.
  std::string said_of(const std::string& name) const {
    auto document = Document::parse(R"({"plugins": [")" + name + R"("]})");
    const Validated validated =
        validate({{"", 0, std::move(*document)}}, FleetCatalog(builtin, keys, kNow, 30 * kNanosPerSecond));
    if (validated.problems.empty()) return "";
    return (validated.ok() ? "warning: " : "") + validated.problems.front().message;
  }
  Builtin builtin;
  StoredKeys keys;
};

TEST(FleetCatalog, KnowsScriptsAndPluginsOfLiveAgents) {
  World w;
  w.agent("a", true, {"mine"});
  w.agent("b", false, {"gone"});
  w.keys["/monitor/plugins/central"] = {"function run() end", 1};
  for (const char* const known : {"filter", "mine", "central"}) EXPECT_EQ(w.said_of(known), "") << known;
  for (const char* const unknown : {"gone", "other"}) {
    EXPECT_EQ(w.said_of(unknown).find("warning: no built-in plugin, no script in /monitor/plugins/, and no live agent"),
              0U)
        << unknown;
  }
}

TEST(FleetCatalog, RejectsTyposAndAmbiguousNames) {
  World w;
  EXPECT_EQ(w.said_of("filtre"), "unknown plugin");
  w.keys["/monitor/plugins/filter"] = {"function run() end", 1};
  EXPECT_NE(w.said_of("filter").find("plugin filter: filter is ambiguous"), std::string::npos);
}

}  // namespace
}  // namespace monitor::config
