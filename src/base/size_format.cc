#include "base/size_format.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"

namespace monitor {

namespace {

constexpr std::array<std::pair<std::string_view, uint64_t>, 9> kUnits = {{
    {"B", 1},
    {"KiB", uint64_t{1} << 10},
    {"MiB", uint64_t{1} << 20},
    {"GiB", uint64_t{1} << 30},
    {"TiB", uint64_t{1} << 40},
    {"kB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
}};

}  // namespace

Result<uint64_t> parse_size(std::string_view text) {
  const Error wrong(Code::kInvalidArgument,
                    fmt::format("got {}, expected a size such as 64MiB or 1GiB", json_quote(text)));
  const size_t digits = text.find_first_not_of("0123456789");
  const auto number = parse_u64(text.substr(0, digits));
  if (!number) return wrong;
  if (digits == std::string_view::npos) return *number;
  const std::string_view name = trim(text.substr(digits));
  for (const auto& [unit, factor] : kUnits) {
    if (unit != name) continue;
    if (*number > UINT64_MAX / factor) return wrong;
    return *number * factor;
  }
  return wrong;
}

std::string format_size(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit].first);
}

}  // namespace monitor
