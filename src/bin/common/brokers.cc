#include "bin/common/brokers.h"

#include <fmt/format.h>

#include "base/host_name.h"
#include "base/text.h"

namespace monitor {

std::string check_brokers(const std::string& text) {
  for (const std::string_view broker : split(text, ',')) {
    const size_t colon = broker.rfind(':');
    const bool host_alone = colon == std::string_view::npos || broker.ends_with(']');
    const size_t scheme = broker.find("://");  // librdkafka takes SSL://HOST:PORT, too
    const size_t host_begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    std::string_view host = broker.substr(host_begin, host_alone ? std::string_view::npos : colon - host_begin);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto port = host_alone ? std::optional<uint64_t>(9092) : parse_u64(broker.substr(colon + 1));
    if (!valid_host(host) || !port || *port == 0 || *port > 65535) {
      return fmt::format("--kafka: got {}, expected HOST:PORT, several with commas", json_quote(text));
    }
  }
  return "";
}

}  // namespace monitor
