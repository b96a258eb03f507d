// Sessions: who is logged in. A session ends when it has not been used for `idle_ns`, when it reaches the age
// `max_age_ns`, or by end(). Ids have 256 random bits. Only their digests are kept, so the program's memory contains no
// id.
//
// On one thread. The clock and the randomness must outlive the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace monitor::access {

struct SessionOptions {
  int64_t idle_ns = int64_t{30} * 60 * kNanosPerSecond;
  int64_t max_age_ns = int64_t{12} * 3600 * kNanosPerSecond;
  size_t most = 4096;
  size_t most_per_user = 32;
};

struct Session {
  std::string key;  // the digest of its id; not a secret
  std::string user;
  std::string credential;  // the password hash that it began with
  int64_t begun_ns = 0;
  int64_t used_ns = 0;
};

class Sessions {
 public:
  Sessions(const Clock& clock, Random& random, const SessionOptions& options)
      : clock_(clock), random_(random), options_(options) {}

  // Returns the new session's id. If there are too many sessions, the one of this user (or of all) that was used
  // longest ago ends.
  std::string begin(const std::string& user, const std::string& credential);
  // nullptr if the session is unknown or has expired. Valid until the next call of another function.
  const Session* find(std::string_view id) const;
  // Like find(), and counts as a use of the session.
  const Session* use(std::string_view id);
  // Returns false if there was no such session.
  bool end(std::string_view id);
  // Ends the sessions for which `ends` returns true.
  void end_if(const std::function<bool(const Session&)>& ends);
  // Removes expired sessions. Call it from time to time.
  void expire();

  size_t size() const { return sessions_.size(); }
  int64_t max_age_ns() const { return options_.max_age_ns; }

 private:
  using Map = std::map<std::string, Session, std::less<>>;  // by key
  bool expired(const Session& session) const;
  void make_room(const std::string& user);

  const Clock& clock_;
  Random& random_;
  const SessionOptions options_;
  Map sessions_;
};

}  // namespace monitor::access
