#include "ui/access/audit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/disk.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/written_file.h"
#include "ui/access/secret.h"

namespace monitor::access {

using nlohmann::ordered_json;

namespace {

constexpr int kMaxDepth = 64;
constexpr std::string_view kRemoved = "(removed)";

bool names_secret(std::string_view field) {
  constexpr std::array<std::string_view, 9> kSecretWords = {
      "password", "passwd", "secret", "token", "credential", "apikey", "authorization", "privatekey", "passphrase"};
  std::string plain;
  for (const char c : field) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return std::ranges::any_of(kSecretWords,
                             [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

void remove_secrets(ordered_json& value) {
  if (!value.is_object() && !value.is_array()) return;
  for (auto& [name, one] : value.items()) {
    if (value.is_object() && names_secret(name)) {
      one = kRemoved;
    } else {
      remove_secrets(one);
    }
  }
}

bool too_deep(std::string_view json) {
  int depth = 0;
  for (const char c : json) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

std::string dump(const ordered_json& json) {
  return printable(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::string line_of(const AuditEvent& event, int64_t wall_ns) {
  std::string line = fmt::format(R"({{"time":"{}")", format_rfc3339(wall_ns, 3));
  const auto add = [&line](std::string_view name, const std::string& json) {
    line += fmt::format(R"(,"{}":{})", name, json);
  };
  for (const auto& [name, text] : {std::pair("event", &event.event),
                                   {"who", &event.who},
                                   {"by", &event.by},
                                   {"role", &event.role},
                                   {"address", &event.address},
                                   {"forwarded_for", &event.forwarded_for},
                                   {"object", &event.object}}) {
    if (!text->empty()) add(name, json_quote(*text));
  }
  if (event.revision != 0) add("revision", std::to_string(event.revision));
  if (!event.before.empty()) add("before", event.before);
  if (!event.after.empty()) add("after", event.after);
  if (!event.reason.empty()) add("reason", json_quote(event.reason));
  return line + "}";
}

}  // namespace

std::string audit_value(const std::string& document) {
  if (!too_deep(document)) {
    auto value = ordered_json::parse(document, nullptr, false, true);
    if (!value.is_discarded()) {
      remove_secrets(value);
      std::string text = dump(value);
      if (text.size() <= AuditLog::kMaxValue) return text;
    }
  }
  return fmt::format(R"({{"bytes":{},"sha256":"{}"}})", document.size(), digest_of(document));
}

Status AuditLog::append(const std::string& line) const {
  const Fd file(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file.valid()) return errno_error(errno, "opening " + path_);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return errno_error(errno, "opening " + path_);
  if (Status good = check_written_file(info, "opening " + path_, false); !good) return good;
  if (line.empty()) return {};
  const ssize_t written = ::write(file.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return {};
  if (written < 0) return errno_error(errno, "writing " + path_);
  // A partial line would damage the next one as well.
  if (ftruncate(file.get(), info.st_size) != 0) return errno_error(errno, "truncating " + path_);
  return Error(Code::kResourceExhausted,
               fmt::format("writing {}: got room for {} of {} bytes", path_, written, line.size()));
}

Status AuditLog::check() const { return path_.empty() ? Status() : append(""); }

void AuditLog::write(const AuditEvent& event) {
  std::string line = line_of(event, clock_.wall_ns());
  const std::lock_guard lock(mutex_);
  if (!path_.empty()) {
    if (const Status done = append(line + "\n"); !done) {
      ++failures_;
      log_error("an event is missing in the audit log", {{"event", event.event}, {"reason", done.error()}});
    }
  }
  kept_.push_front(std::move(line));
  if (kept_.size() > kKept) kept_.pop_back();
}

std::string AuditLog::newest(size_t count) const {
  const std::lock_guard lock(mutex_);
  std::string out = "[";
  for (size_t i = 0; i < std::min(count, kept_.size()); ++i) out += (i > 0 ? "," : "") + kept_[i];
  return out + "]";
}

}  // namespace monitor::access
