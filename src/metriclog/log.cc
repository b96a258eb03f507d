#include "metriclog/log.h"

#include <utility>

namespace monitor::metriclog {

const Headers::Pairs& Headers::all() const {
  if (source_ != nullptr) pairs_ = std::exchange(source_, nullptr)->read();
  return pairs_;
}

void Headers::emplace_back(std::string name, std::string value) {
  all();
  pairs_.emplace_back(std::move(name), std::move(value));
}

std::string_view Record::header(std::string_view name) const {
  for (const auto& [key_name, header_value] : headers) {
    if (key_name == name) return header_value;
  }
  return {};
}

}  // namespace monitor::metriclog
