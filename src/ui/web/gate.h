// Gate: decides who may send which request to the page's server.
//
// A request proves who sent it by a token (Authorization: Bearer), by the header of a trusted proxy, or by a session's
// cookie, in this order. Without a users file and without a trusted proxy the page is open: everybody is a viewer, and
// changes need the web token.
//
// A request that changes something must come from our own origin. If a browser attaches its proof by itself (a cookie,
// a proxy's login), it must also carry the identity's CSRF token.
//
// On the loop's thread. Everything given to the constructor must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/attempt_limit.h"
#include "base/clock.h"
#include "base/random.h"
#include "telemetry/registry.h"
#include "ui/access/accounts_file.h"
#include "ui/access/audit_log.h"
#include "ui/access/network.h"
#include "ui/access/role.h"
#include "ui/access/sessions.h"
#include "ui/web/change_guard.h"
#include "ui/web/http.h"
#include "ui/web/identity.h"

namespace monitor::analysis::web {

struct Access {
  std::vector<std::string> hosts;  // names of the server beside localhost and IP addresses; in any case
  std::string token;               // the web token, an editor's; empty: there is none
  std::string users_file = {};     // empty: no logins and no API tokens
  access::SessionOptions sessions = {};
  std::vector<access::Network> proxies = {};  // trusted
  std::string proxy_user_header = {};         // in which they name the user
  std::string proxy_role_header = {};         // empty, or absent from a request: the user is a viewer
  bool tls = false;                           // browsers reach this server by TLS
};

class Gate {
 public:
  Gate(const Access& access, const Clock& clock, Random& random, access::AuditLog& audit,
       telemetry::Registry& registry);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // kNotFound, or another reason why the users file cannot be used. Call it once, before the first request.
  Status start();
  // Who sent the request if it may do what `need` allows; else the reply that refuses it, which is logged. `reads`: it
  // changes nothing, whatever its method.
  std::variant<Identity, Reply> admit(const Request& request, access::Role need, bool reads = false);
  // Who sent the request: kAnyone if it proves nothing. Neither counts nor logs. `touch`: keeps a session alive.
  Identity identify(const Request& request, bool touch);
  // Whether the sender of an admitted request may still read; false after a logout, for example.
  bool still_reads(const Request& request);

  // Starts a session for the user; returns the cookie that carries it.
  std::string log_in(const Request& request, const std::string& user, const std::string& credential);
  // Ends the request's session, if any; returns the cookie that removes it.
  std::string log_out(const Request& request);
  // Reads the users file again if it has changed, and ends what has expired. Call it about once a second.
  void tick();

  // Whether reading needs a login, a token or a proxy.
  bool closed() const { return users_ != nullptr || !access_.proxies.empty(); }
  // Whether users can log in here.
  bool has_logins() const { return users_ != nullptr; }
  const access::Accounts* accounts() const { return users_ ? &users_->accounts() : nullptr; }
  // The client's address, as a unit of limits: behind a trusted proxy, the one that the proxy names.
  std::string client_group(const Request& request) const;
  // How logs name the user of a failed login: a user who exists by the name, any other text by a digest under a key of
  // this process. People type passwords into the field for the name.
  std::string logged_name(const std::string& user) const;
  // An event with the request's addresses filled in.
  static access::AuditEvent event_of(std::string event, const Request& request, const Identity& who);

 private:
  std::optional<Identity> by_token(const Request& request, std::string_view token) const;
  std::optional<Identity> by_proxy(const Request& request) const;
  std::optional<Identity> by_cookie(const Request& request, bool touch);
  bool from_proxy(const Request& request) const;
  bool secure(const Request& request) const;
  std::string cookie_name(const Request& request) const;
  std::optional<std::string> session_id(const Request& request) const;
  std::string csrf_of(std::string_view kind, std::string_view key) const;
  Reply refuse(const Request& request, const Error& error, bool guessed = false);
  Reply refuse_role(const Request& request, const Identity& who, access::Role need);
  void take_accounts(const access::Accounts& before);

  const Access& access_;
  const Clock& clock_;
  access::AuditLog& audit_;
  const std::string csrf_key_;
  std::unique_ptr<access::AccountsFile> users_;
  std::string trouble_;  // of the users file, as logged last
  access::Sessions sessions_;
  AttemptLimit refusals_{clock_, {30, kNanosPerSecond}};  // refused requests that are recorded, by user
  ChangeGuard guard_;
};

}  // namespace monitor::analysis::web
