#include "views/history/agents.h"

#include <nlohmann/json.hpp>

namespace monitor::analysis::history {

Result<std::vector<KnownAgent>> read_agents(Database& db) {
  auto select = db.prepare("SELECT name, info FROM agents");
  if (!select) return select.error();
  std::vector<KnownAgent> found;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    KnownAgent agent{.name = std::string(select->bytes(0)), .host = {}, .version = {}};
    const auto info = nlohmann::json::parse(select->bytes(1), nullptr, false);
    if (info.is_object()) {
      agent.host = info.value("host", "");
      agent.version = info.value("version", "");
      agent.seen_ns = info.value("seen_ns", int64_t{0});
      agent.log = info.value("log", "");
    }
    found.push_back(std::move(agent));
  }
  if (rc != SQLITE_DONE) return db.error(rc, "reading");
  return found;
}

}  // namespace monitor::analysis::history
