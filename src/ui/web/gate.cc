#include "ui/web/gate.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "ui/access/credentials.h"
#include "ui/access/secret.h"

namespace monitor::analysis::web {

using access::Role;
using Kind = Identity::Kind;

namespace {

constexpr std::string_view kCookie = "monitor-session";
// Browsers accept a cookie of this prefix only with Secure, without a domain, and for all paths: no other host of the
// domain, and no page over plain text, can set one.
constexpr std::string_view kSecureCookie = "__Host-monitor-session";

bool changes(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

// A browser attaches these by itself, also for a page of another origin.
bool is_ambient(Kind kind) { return kind == Kind::kSession || kind == Kind::kProxy; }

}  // namespace

Gate::Gate(const Access& access, const Clock& clock, Random& random, access::AuditLog& audit,
           telemetry::Registry& registry)
    : access_(access),
      clock_(clock),
      audit_(audit),
      csrf_key_(access::new_secret(random)),
      users_(access.users_file.empty() ? nullptr : std::make_unique<access::AccountsFile>(access.users_file)),
      sessions_(clock, random, access.sessions),
      guard_(clock, registry) {
  if (users_ != nullptr) users_->refresh();
  registry.gauge_from("monitor_web_sessions", "Sessions of users who are logged in.",
                      [this] { return static_cast<double>(sessions_.size()); });
}

Status Gate::start() {
  if (users_ == nullptr) return {};
  const auto& trouble = users_->trouble();
  if (!trouble) return {};
  if (trouble->code() != Code::kNotFound) return *trouble;
  return Error(Code::kNotFound, fmt::format("{}; add the first user with: monitor-analysis user add NAME --role admin "
                                            "--users {}",
                                            trouble->message(), users_->path()));
}

std::string Gate::csrf_of(std::string_view kind, std::string_view key) const {
  return access::keyed_digest(csrf_key_, fmt::format("{}:{}", kind, key));
}

std::optional<Identity> Gate::by_token(const Request& /*request*/, std::string_view token) const {
  if (!access_.token.empty() && access::same_secret(token, access_.token)) {
    return Identity{.kind = Kind::kWebToken, .role = Role::kEditor, .name = "web-token"};
  }
  if (users_ == nullptr) return std::nullopt;
  const access::ApiToken* const known = users_->accounts().token(token);
  if (known == nullptr || known->expires_ns <= clock_.wall_ns()) return std::nullopt;
  return Identity{.kind = Kind::kApiToken, .role = known->role, .name = known->name};
}

bool Gate::from_proxy(const Request& request) const {
  for (const access::Network& network : access_.proxies) {
    if (network.contains(request.address)) return true;
  }
  return false;
}

// nullopt: the request does not come from a proxy, or the proxy names no user. A header that is ambiguous or malformed
// gives no rights.
std::optional<Identity> Gate::by_proxy(const Request& request) const {
  if (access_.proxy_user_header.empty() || !from_proxy(request)) return std::nullopt;
  const auto names = header_values(request, access_.proxy_user_header);
  if (names.empty()) return std::nullopt;
  Identity who{.kind = Kind::kProxy, .role = Role::kViewer};
  if (names.size() != 1 || !access::valid_user_name(names[0])) return Identity{};
  who.name = names[0];
  if (!access_.proxy_role_header.empty()) {
    const auto roles = header_values(request, access_.proxy_role_header);
    if (roles.size() > 1) return Identity{};
    if (!roles.empty()) {
      const auto role = access::parse_role(roles[0]);
      if (!role) return Identity{};
      who.role = *role;
    }
  }
  who.key = "proxy:" + who.name;
  who.csrf = csrf_of("proxy", who.name);
  return who;
}

bool Gate::secure(const Request& request) const {
  if (access_.tls) return true;
  const auto protocols = header_values(request, "X-Forwarded-Proto");
  return from_proxy(request) && protocols.size() == 1 && protocols[0] == "https";
}

std::string Gate::cookie_name(const Request& request) const {
  return std::string(secure(request) ? kSecureCookie : kCookie);
}

std::optional<std::string> Gate::session_id(const Request& request) const {
  return access::session_cookie(header_values(request, "Cookie"), cookie_name(request));
}

std::optional<Identity> Gate::by_cookie(const Request& request, bool touch) {
  if (users_ == nullptr) return std::nullopt;
  const auto id = session_id(request);
  if (!id) return std::nullopt;
  const access::Session* const session = touch ? sessions_.use(*id) : sessions_.find(*id);
  if (session == nullptr) return std::nullopt;
  const access::User* const user = users_->accounts().user(session->user);
  if (user == nullptr || user->password != session->credential) return std::nullopt;
  return Identity{.kind = Kind::kSession,
                  .role = user->role,
                  .name = user->name,
                  .key = session->key,
                  .csrf = csrf_of("session", session->key)};
}

Identity Gate::identify(const Request& request, bool touch) {
  if (const auto token = bearer_token(request)) {
    if (const auto who = by_token(request, *token)) return *who;
    // An open page ignores tokens where none is needed.
    return closed() ? Identity{} : Identity{.kind = Kind::kOpen, .role = Role::kViewer};
  }
  if (const auto who = by_proxy(request)) return *who;
  if (const auto who = by_cookie(request, touch)) return *who;
  return closed() ? Identity{} : Identity{.kind = Kind::kOpen, .role = Role::kViewer};
}

Reply Gate::refuse(const Request& request, const Error& error, bool guessed) {
  guard_.rejected(request, client_group(request), error.message(), guessed);
  return error_reply(error);
}

Reply Gate::refuse_role(const Request& request, const Identity& who, Role need) {
  if (who.kind == Kind::kOpen) {
    if (need > Role::kEditor) {
      return refuse(request, Error(Code::kPermissionDenied, fmt::format("this needs the role {}, and this server has "
                                                                        "no users: start it with --users FILE",
                                                                        access::to_string(need))));
    }
    if (access_.token.empty()) {
      return refuse(request, Error(Code::kPermissionDenied, "changes are disabled: this server has no token"));
    }
    const bool given = bearer_token(request).has_value();
    return refuse(request,
                  Error(Code::kUnauthenticated,
                        "the token is missing or wrong; it is in the file web-token in the server's data folder, or in "
                        "--web-token-file"),
                  given);
  }
  access::AuditEvent event = event_of("refused", request, who);
  event.object = request.method + " " + request.path.substr(0, 256);
  event.reason = fmt::format("needs the role {}", access::to_string(need));
  // Whoever may only read must not be able to fill the log.
  if (refusals_.take(who.text()) == 0) audit_.write(event);
  return refuse(request, Error(Code::kPermissionDenied,
                               fmt::format("this needs the role {}, and {} has the role {}", access::to_string(need),
                                           who.text(), access::to_string(who.role))));
}

std::variant<Identity, Reply> Gate::admit(const Request& request, Role need, bool reads) {
  const bool changing = !reads && changes(request);
  if (changing) {
    if (Status own = check_origin(request); !own) return refuse(request, own.error());
  }
  // A route that needs no role says whose token it is, too.
  const bool token_matters = bearer_token(request) && (need == Role::kNone || closed() || need > Role::kViewer);
  if (token_matters) {
    if (auto limited = guard_.limited(request, client_group(request))) return std::move(*limited);
  }
  Identity who = identify(request, true);
  if (need == Role::kNone) {
    const bool known = who.kind == Kind::kWebToken || who.kind == Kind::kApiToken;
    if (token_matters && !known) guard_.rejected(request, client_group(request), "the token is unknown", true);
    return who;
  }
  if (who.kind == Kind::kAnyone) {
    const bool guessed = token_matters;
    const Error error(Code::kUnauthenticated, guessed ? "the token is unknown, revoked or expired" : "log in first");
    // A browser that is not logged in asks all the time: that is no attack.
    if (!guessed && !changing) return error_reply(error);
    return refuse(request, error, guessed);
  }
  if (changing && is_ambient(who.kind)) {
    const auto given = header_values(request, "X-CSRF-Token");
    if (given.size() != 1 || !access::same_secret(given[0], who.csrf)) {
      return refuse(request, Error(Code::kPermissionDenied,
                                   "the header X-CSRF-Token is missing or wrong; GET /api/ui/v1/session returns it"));
    }
  }
  if (who.role < need) return refuse_role(request, who, need);
  return who;
}

bool Gate::still_reads(const Request& request) { return identify(request, false).role >= Role::kViewer; }

std::string Gate::client_group(const Request& request) const {
  if (!from_proxy(request) || request.forwarded_for.empty()) return request.address_group;
  // The last entry is the address that the proxy has seen. Those before it are claims of the client.
  return "forwarded " + access::limit_group(trim(split(request.forwarded_for, ',').back()));
}

std::string Gate::logged_name(const std::string& user) const {
  if (users_ != nullptr && users_->accounts().user(user) != nullptr) return user;
  // 32 bits tell the names of one attack apart. The parentheses cannot be part of a user's name.
  return fmt::format("(unknown user {})", access::keyed_digest(csrf_key_, "user:" + user).substr(0, 8));
}

access::AuditEvent Gate::event_of(std::string event, const Request& request, const Identity& who) {
  return {.event = std::move(event),
          .who = who.name,
          .by = std::string(who.kind_name()),
          .role = std::string(access::to_string(who.role)),
          .address = request.address,
          .forwarded_for = request.forwarded_for.substr(0, 256)};
}

std::string Gate::log_in(const Request& request, const std::string& user, const std::string& credential) {
  if (const auto old = session_id(request)) sessions_.end(*old);
  const std::string id = sessions_.begin(user, credential);
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", cookie_name(request), id,
                     sessions_.max_age_ns() / kNanosPerSecond, secure(request) ? "; Secure" : "");
}

std::string Gate::log_out(const Request& request) {
  if (const auto id = session_id(request)) sessions_.end(*id);
  return fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{}", cookie_name(request),
                     secure(request) ? "; Secure" : "");
}

void Gate::take_accounts(const access::Accounts& before) {
  for (const auto& change : access::changes_between(before, users_->accounts())) {
    const auto text = [](const std::string& role) { return role.empty() ? role : json_quote(role); };
    audit_.write({.event = change.event,
                  .by = "users-file",
                  .object = change.name,
                  .before = text(change.before),
                  .after = text(change.after)});
  }
  log_info("the users file has changed", {{"file", users_->path()},
                                          {"users", users_->accounts().users.size()},
                                          {"tokens", users_->accounts().tokens.size()}});
  sessions_.end_if([this](const access::Session& session) {
    const access::User* const user = users_->accounts().user(session.user);
    return user == nullptr || user->password != session.credential;
  });
}

void Gate::tick() {
  guard_.tick();
  sessions_.expire();
  if (users_ == nullptr) return;
  if (const auto before = users_->refresh()) take_accounts(*before);
  const std::string trouble = users_->trouble() ? users_->trouble()->message() : "";
  if (trouble != trouble_ && !trouble.empty()) {
    log_error("the users file cannot be read; the users and tokens read before stay in force", {{"reason", trouble}});
  }
  trouble_ = trouble;
}

}  // namespace monitor::analysis::web
