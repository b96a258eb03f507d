#include "bin/common/brokers.h"

#include <fmt/format.h>

#include "base/net/address.h"
#include "base/text.h"

namespace monitor {

std::string check_brokers(const std::string& text) {
  constexpr uint16_t kKafkaPort = 9092;
  for (const std::string_view broker : split(text, ',')) {
    const size_t scheme = broker.find("://");  // librdkafka also accepts SSL://HOST:PORT
    if (!parse_host_port(std::string(broker.substr(scheme == std::string_view::npos ? 0 : scheme + 3)), kKafkaPort)) {
      return fmt::format("--kafka: got {}, expected HOST:PORT, several with commas", json_quote(text));
    }
  }
  return "";
}

}  // namespace monitor
