#include "notify/config_parts.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace monitor::notify {

using rules::Fault;
using rules::YamlFields;
using rules::YamlNode;
using rules::YamlPtr;

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kWebhook:
      return "webhook";
    case Kind::kAlertmanager:
      return "alertmanager";
    case Kind::kEmail:
      return "email";
    case Kind::kSlack:
      return "slack";
    case Kind::kCommand:
      return "command";
    case Kind::kKafka:
      break;
  }
  return "kafka";
}

Matchers parse_matchers(YamlFields& fields, std::string_view key, std::vector<Fault>& faults) {
  Matchers matchers;
  for (const YamlPtr& item : fields.list(key)) {
    if (item->kind != YamlNode::Kind::kScalar) {
      faults.push_back({item->place, fmt::format("{}: got {}, expected a text such as 'severity=\"page\"'", key,
                                                 item->kind_name())});
      continue;
    }
    auto some = parse_matcher_list(item->text);
    if (!some) {
      faults.push_back({item->place, fmt::format("{}: {}", key, some.error().message())});
      continue;
    }
    matchers.insert(matchers.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  if (matchers.size() > kMaxMatchers) {
    faults.push_back({fields.place_of(key), fmt::format("{}: there are more than {} matchers", key, kMaxMatchers)});
  }
  return matchers;
}

}  // namespace monitor::notify
