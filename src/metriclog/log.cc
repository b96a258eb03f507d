#include "metriclog/log.h"

namespace monitor::metriclog {

std::string_view Record::header(std::string_view name) const {
  for (const auto& [key_name, header_value] : headers) {
    if (key_name == name) return header_value;
  }
  return {};
}

}  // namespace monitor::metriclog
