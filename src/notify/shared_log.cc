#include "notify/shared_log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "notify/store_impl.h"

namespace monitor::notify {

namespace {

using Json = nlohmann::json;

std::string encode(const SharedEntries& entries, bool with_finished) {
  std::string text = "[";
  for (const auto& [key, one] : entries) {
    const Json head = {{"id", one.entry.id},
                       {"time", one.entry.time_ms},
                       {"firing", join_fingerprints(one.entry.firing)},
                       {"resolved", join_fingerprints(one.entry.resolved)},
                       {"finished", one.finished}};
    Notification told = one.last;
    told.receiver = key.receiver;
    told.integration = key.integration;
    told.group_key = key.group_key;
    if (one.finished) {
      if (!with_finished) told.alerts.clear();
      for (rules::Alert& alert : told.alerts) alert.annotations.clear();
    }
    text += fmt::format("{}{{\"entry\":{},\"notification\":{}}}", text.size() > 1 ? "," : "",
                        head.dump(-1, ' ', false, Json::error_handler_t::replace), webhook_json(told));
  }
  return text + "]";
}

}  // namespace

Result<std::string> encode_entries(const SharedEntries& entries, size_t most) {
  for (const bool with_finished : {true, false}) {
    std::string text = encode(entries, with_finished);
    if (text.size() <= most) return text;
  }
  return Error(Code::kResourceExhausted,
               fmt::format("the shared log of notifications has {} groups, which do not fit into {} bytes",
                           entries.size(), most));
}

Result<SharedEntries> decode_entries(std::string_view text) {
  SharedEntries entries;
  try {
    for (const Json& one : Json::parse(text)) {
      auto told = parse_notification(one.at("notification").dump(-1, ' ', false, Json::error_handler_t::replace));
      if (!told) return told.error();
      const Json& head = one.at("entry");
      SharedEntry entry;
      entry.entry.id = head.at("id").get<std::string>();
      entry.entry.time_ms = head.at("time").get<int64_t>();
      entry.entry.firing = split_fingerprints(head.at("firing").get<std::string>());
      entry.entry.resolved = split_fingerprints(head.at("resolved").get<std::string>());
      entry.finished = head.at("finished").get<bool>();
      LogKey key{told->group_key, told->receiver, told->integration};
      entry.last = std::move(*told);
      entries.insert_or_assign(std::move(key), std::move(entry));
    }
  } catch (const nlohmann::json::exception& error) {
    return Error(Code::kDataLoss, fmt::format("the shared log of notifications cannot be decoded: {}", error.what()));
  }
  return entries;
}

}  // namespace monitor::notify
