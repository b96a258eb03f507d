#include "metriclog/heartbeat.h"

#include <array>

#include "base/hex.h"
#include "base/random.h"
#include "base/text.h"

namespace monitor::metriclog {

Heartbeat new_heartbeat(const std::string& program, const std::string& host) {
  std::array<char, 8> id{};
  SystemRandom().fill(id.data(), id.size());
  return {.writer = hex({id.data(), id.size()}), .program = program, .host = host};
}

}  // namespace monitor::metriclog
