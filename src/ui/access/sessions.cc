#include "ui/access/sessions.h"

#include "ui/access/secret.h"

namespace monitor::access {

bool Sessions::expired(const Session& session) const {
  const int64_t now = clock_.mono_ns();
  return elapsed_ns(session.used_ns, now) >= options_.idle_ns ||
         elapsed_ns(session.begun_ns, now) >= options_.max_age_ns;
}

void Sessions::make_room(const std::string& user) {
  expire();
  size_t own = 0;
  auto oldest = sessions_.end();
  auto oldest_own = sessions_.end();
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
    const auto older = [&](Map::iterator than) {
      return than == sessions_.end() || at->second.used_ns < than->second.used_ns;
    };
    if (older(oldest)) oldest = at;
    if (at->second.user != user) continue;
    ++own;
    if (older(oldest_own)) oldest_own = at;
  }
  if (own >= options_.most_per_user) {
    sessions_.erase(oldest_own);
  } else if (sessions_.size() >= options_.most) {
    sessions_.erase(oldest);
  }
}

std::string Sessions::begin(const std::string& user, const std::string& credential) {
  make_room(user);
  std::string id = new_secret(random_);
  const std::string key = digest_of(id);
  const int64_t now = clock_.mono_ns();
  sessions_[key] = {key, user, credential, now, now};
  return id;
}

const Session* Sessions::find(std::string_view id) const {
  const auto found = sessions_.find(digest_of(id));
  return found == sessions_.end() || expired(found->second) ? nullptr : &found->second;
}

const Session* Sessions::use(std::string_view id) {
  const auto found = sessions_.find(digest_of(id));
  if (found == sessions_.end() || expired(found->second)) return nullptr;
  found->second.used_ns = clock_.mono_ns();
  return &found->second;
}

bool Sessions::end(std::string_view id) { return sessions_.erase(digest_of(id)) > 0; }

void Sessions::end_if(const std::function<bool(const Session&)>& ends) {
  std::erase_if(sessions_, [&](const auto& one) { return ends(one.second); });
}

void Sessions::expire() {
  end_if([this](const Session& session) { return expired(session); });
}

}  // namespace monitor::access
