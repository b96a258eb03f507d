// Kafka settings files with any bytes. Accepted settings have valid names, unique and in order; an error never quotes a
// long piece of the input.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "metriclog/kafka/properties.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = metriclog::parse_kafka_properties(text);
  if (!found) {
    require(valid_utf8(found.error().message()) && found.error().message().size() < 1000);
  } else {
    std::set<std::string> names;
    int line = 0;
    for (const auto& [property, at] : *found) {
      require(!property.first.empty() && names.insert(property.first).second && at > line);
      require(property.second.find('\0') == std::string::npos && valid_utf8(property.second));
      line = at;
    }
  }
  if (const auto one = metriclog::parse_kafka_property(text); !one) require(one.error().message().size() < 300);
  return 0;
}
