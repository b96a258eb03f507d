#include "doctor/log_settings.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace monitor::doctor {

namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

int64_t number_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

TopicFacts topic_of(const Json& object) {
  TopicFacts topic;
  topic.name = text_of(object, "name");
  topic.exists = object.value("exists", Json(false)) == true;
  topic.partitions = number_of(object, "partitions");
  topic.replication = number_of(object, "replication");
  topic.in_sync = number_of(object, "in_sync");
  topic.leaderless = number_of(object, "leaderless");
  const auto settings = object.find("settings");
  if (settings == object.end() || !settings->is_object()) return topic;
  for (const auto& [name, value] : settings->items()) {
    if (value.is_string()) topic.settings[name] = value.get<std::string>();
  }
  return topic;
}

}  // namespace

int64_t TopicFacts::number(const std::string& setting, int64_t otherwise) const {
  const auto found = settings.find(setting);
  return found == settings.end() ? otherwise : parse_i64(found->second).value_or(otherwise);
}

Result<LogFacts> parse_log_settings(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Error(Code::kInvalidArgument,
                 "monitor-analysis printed " + json_quote(text.substr(0, 60)) + ", expected JSON");
  }
  LogFacts facts;
  facts.backend = text_of(json, "backend");
  facts.address = text_of(json, "address");
  facts.error = text_of(json, "error");
  facts.brokers = number_of(json, "brokers");
  facts.max_record_bytes = number_of(json, "max_record_bytes");
  const auto topics = json.find("topics");
  if (topics == json.end() || !topics->is_array()) return facts;
  for (const Json& topic : *topics) {
    if (topic.is_object()) facts.topics.push_back(topic_of(topic));
  }
  return facts;
}

}  // namespace monitor::doctor
