#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "base/audit.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor {

namespace {

constexpr uint64_t kBurst = 5;
// Operators search for the line that reports the result of a change to configuration or plugins, so these are limited
// less. Messages of the plugins themselves are rate limited where they arrive.
constexpr uint64_t kWantedBurst = 500;
constexpr std::array<std::string_view, 2> kWanted = {"configuration ", "plugin "};
constexpr int64_t kBurstWindow = 10 * kNanosPerSecond;
constexpr size_t kMaxRemembered = 512;

constexpr std::array<const char*, 5> kLevelNames = {"debug", "info", "warning", "error", "off"};
constexpr std::array<const char*, 5> kLevelLabels = {"DEBUG", "INFO", "WARNING", "ERROR", "OFF"};

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::atomic<LogFormat> g_format{LogFormat::kText};

struct Repeats {
  int64_t window_start = 0;
  uint64_t printed = 0;
  uint64_t held_back = 0;
};

struct State {
  State() : logger("monitor", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
  spdlog::logger logger;
  SystemClock clock;
  std::mutex mutex;  // guards repeats
  std::map<std::pair<LogLevel, std::string>, Repeats, std::less<>> repeats;
};

State& state() {
  static auto* const instance = new State();  // never destroyed, since threads may log until the process exits
  return *instance;
}

uint64_t burst_of(std::string_view event) {
  const auto begins = [event](std::string_view prefix) { return event.starts_with(prefix); };
  const bool wanted = std::any_of(kWanted.begin(), kWanted.end(), begins);
  return wanted ? kWantedBurst : kBurst;
}

// Decides whether the line may be printed; `repeated` gets the number of suppressed lines like it.
bool admit(State& s, LogLevel level, std::string_view event, uint64_t& repeated) {
  const std::lock_guard lock(s.mutex);
  const int64_t now = s.clock.mono_ns();
  if (s.repeats.size() >= kMaxRemembered) s.repeats.clear();
  Repeats& r = s.repeats[{level, std::string(event)}];
  if (r.window_start == 0 || now - r.window_start > kBurstWindow) {
    r.window_start = now;
    r.printed = 0;
  }
  if (r.printed >= burst_of(event)) {
    ++r.held_back;
    return false;
  }
  ++r.printed;
  repeated = std::exchange(r.held_back, 0);
  return true;
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    // Non-ASCII values are quoted, since Unicode has many look-alikes of space and "=".
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

std::string field_text(const LogField& field, LogFormat format) {
  struct Visitor {
    LogFormat format;
    std::string operator()(const std::string& v) const {
      return format == LogFormat::kJson || needs_quotes(v) ? json_quote(v) : v;
    }
    std::string operator()(int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(uint64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return json_number(v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(const LogJson& v) const { return printable(v.text); }
  };
  return std::visit(Visitor{format}, field.value);
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (name == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  return Error(Code::kInvalidArgument,
               fmt::format("log level: got \"{}\", known: debug, info, warning, error, off", name));
}

Result<LogFormat> parse_log_format(std::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return Error(Code::kInvalidArgument, fmt::format("log format: got \"{}\", known: text, json", name));
}

void log_configure(LogLevel level, LogFormat format) {
  g_level = level;
  g_format = format;
  // Starts afresh, so that a test sees its lines whatever other tests of its process have logged.
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.repeats.clear();
}

void log_set_level(LogLevel level) { g_level = level; }

bool log_enabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }

void log_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  State& s = state();
  uint64_t repeated = 0;
  if (!admit(s, level, event, repeated)) return;
  s.logger.log(spdlog::level::info, format_log_line(g_format, s.clock.wall_ns(), level, event, fields, repeated));
}

void log_audit(std::string_view event, std::initializer_list<LogField> fields) {
  if (!log_enabled(LogLevel::kInfo)) return;
  State& s = state();
  s.logger.log(spdlog::level::info, format_log_line(g_format, s.clock.wall_ns(), LogLevel::kInfo, event, fields));
}

std::string format_log_line(LogFormat format, int64_t wall_ns, LogLevel level, std::string_view event,
                            std::initializer_list<LogField> fields, uint64_t repeated) {
  const auto index = static_cast<size_t>(level);
  const std::string time = format_rfc3339(wall_ns, 3);
  std::string line;
  if (format == LogFormat::kJson) {
    line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", time, kLevelNames[index], json_quote(event));
    for (const LogField& field : fields)
      line += fmt::format(",{}:{}", json_quote(field.key), field_text(field, format));
    if (repeated > 0) line += fmt::format(",\"repeated\":{}", repeated);
    return line + "}";
  }
  line = fmt::format("{} {} {}", time, kLevelLabels[index], event);
  for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, field_text(field, format));
  if (repeated > 0) line += fmt::format(" repeated={}", repeated);
  return printable(line);
}

}  // namespace monitor
