#include "query/duration.h"

#include <array>
#include <cctype>

namespace monitor::query {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};

constexpr int64_t kDayMs = 86'400'000;
constexpr std::array<Unit, 7> kUnits = {
    {{"y", 365 * kDayMs}, {"w", 7 * kDayMs}, {"d", kDayMs}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

}  // namespace

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  size_t at = 0;
  size_t next_unit = 0;
  while (at < text.size()) {
    int64_t number = 0;
    const size_t digits = at;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at) {
      if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, text[at] - '0', &number)) {
        return std::nullopt;
      }
    }
    if (at == digits) return std::nullopt;
    const size_t letters = at;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0) ++at;
    const std::string_view name = text.substr(letters, at - letters);
    while (next_unit < kUnits.size() && kUnits.at(next_unit).name != name) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    int64_t part = 0;
    if (__builtin_mul_overflow(number, kUnits.at(next_unit).ms, &part) || __builtin_add_overflow(total, part, &total)) {
      return std::nullopt;
    }
    ++next_unit;
  }
  return total;
}

std::string format_duration_ms(int64_t ms) {
  if (ms == 0) return "0s";
  std::string text = ms < 0 ? "-" : "";
  // Unsigned, because -INT64_MIN does not exist.
  uint64_t rest = ms < 0 ? 0 - static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<uint64_t>(unit.ms);
    if (unit.name == "w" || unit.name == "y") {
      // As Prometheus: "52w1d" reads worse than "365d", so years and weeks appear only if they are the whole.
      if (rest % size != 0) continue;
    }
    if (rest >= size) {
      text += std::to_string(rest / size) + std::string(unit.name);
      rest %= size;
    }
  }
  return text;
}

}  // namespace monitor::query
