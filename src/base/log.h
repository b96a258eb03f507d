// The one logger: an event in words and its fields, on stderr, as text or as JSON lines. Built on spdlog (compiled).
//
//   log_info("configuration applied", {{"revision", 7}, {"previous", 6}, {"source", path}});
//   2026-11-22T12:00:00.123Z INFO configuration applied revision=7 previous=6 source=/etc/monitor.json
//   {"time":"2026-11-22T12:00:00.123Z","level":"info","event":"configuration applied","revision":7,...}
//
// Thread-safe. Rate limit: of lines with the same level and event, at most 5 are printed in 10 s (500 for those about
// configuration and plugins). The next printed line counts the suppressed ones in a field `repeated`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/result.h"

namespace monitor {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

Result<LogLevel> parse_log_level(std::string_view name);
Result<LogFormat> parse_log_format(std::string_view name);

// A value that is JSON already, printed as it is: got="cpuu", got=0.
struct LogJson {
  std::string text;
};

struct LogField {
  std::string_view key;
  std::variant<std::string, int64_t, uint64_t, double, bool, LogJson> value;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, const Error& v) : key(k), value(v.message()) {}
  LogField(std::string_view k, LogJson v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  template <typename I>
    requires(std::is_integral_v<I> && !std::is_same_v<I, bool>)
  LogField(std::string_view k, I v) : key(k) {
    if constexpr (std::is_signed_v<I>) {
      value = static_cast<int64_t>(v);
    } else {
      value = static_cast<uint64_t>(v);
    }
  }
};

// Before the first line; later calls change level and format at once.
void log_configure(LogLevel level, LogFormat format);
void log_set_level(LogLevel level);
bool log_enabled(LogLevel level);

void log_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  if (log_enabled(LogLevel::kDebug)) log_line(LogLevel::kDebug, event, fields);
}
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::kInfo, event, fields);
}
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::kWarning, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::kError, event, fields);
}

// Formats one line as log_line() prints it, without the newline. `repeated` > 0 adds that field.
std::string format_log_line(LogFormat format, int64_t wall_ns, LogLevel level, std::string_view event,
                            std::initializer_list<LogField> fields, uint64_t repeated = 0);

}  // namespace monitor
