// AuditLog: records who did what on the web page: changes, logins and rejected attempts. Appends one JSON object per
// line to a file (mode 0600), and keeps the newest kKept events in memory for the page.
//
// The file is opened for each event, so logrotate may move it at any time. An event that cannot be written is counted
// and reported in the program's log; the recorded action is not affected.
//
// Thread-safe. The clock must outlive the object.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace monitor::access {

// Empty fields are omitted.
struct AuditEvent {
  std::string event = {};  // "login", "login.failed", "config.change", ...
  std::string who = {};    // the user, or the name of the token
  std::string by = {};     // how they proved it: session, api-token, web-token, proxy, users-file
  std::string role = {};
  std::string address = {};
  std::string forwarded_for = {};  // as claimed by the client or a proxy
  std::string object = {};         // what was changed: a key, a user, a token
  int64_t revision = 0;            // of the change in its store; 0: it has none
  std::string before = {};         // JSON
  std::string after = {};          // JSON
  std::string reason = {};         // of a refusal
};

// The form of a document in `before` and `after`: its JSON, without the values of fields whose names suggest a secret
// (password, token, ...). If the text is long or is not JSON, only its size and digest. Pure; fuzzed.
std::string audit_value(const std::string& document);

class AuditLog {
 public:
  static constexpr size_t kKept = 1000;
  static constexpr size_t kMaxValue = size_t{16} * 1024;  // bytes of `before` or `after`

  // An empty path: events are only kept in memory.
  AuditLog(const Clock& clock, std::string path) : clock_(clock), path_(std::move(path)) {}

  // Checks that the file can be written, and creates it.
  Status check() const;
  void write(const AuditEvent& event);
  // The newest events, newest first, as a JSON array.
  std::string newest(size_t count) const;
  uint64_t failures() const { return failures_; }
  const std::string& path() const { return path_; }

 private:
  Status append(const std::string& line) const;

  const Clock& clock_;
  const std::string path_;
  mutable std::mutex mutex_;  // guards the file and the member below
  std::deque<std::string> kept_;
  std::atomic<uint64_t> failures_ = 0;
};

}  // namespace monitor::access
