// Api: logins, logouts, who is logged in, and the audit log.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "ui/access/credentials.h"
#include "ui/access/password.h"
#include "ui/access/secret.h"
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace)
using access::Role;

std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json_quote(text); }

Schema session_result() {
  return object({{"user", text("null: nobody is logged in").or_null()},
                 {"by", one_of({"anyone", "open", "session", "api-token", "web-token", "proxy"},
                               "what the request proves it by. open: this server needs no login for reading")},
                 {"role", one_of({"none", "viewer", "editor", "admin"})},
                 {"csrf", text("for the header X-CSRF-Token of changes; null: none is needed").or_null()},
                 {"logins", boolean("users can log in here")}});
}

Schema audit_result() {
  const Schema event = object({{"time", text("RFC 3339")},
                               {"event", text("login, login.failed, logout, refused, config.change, user.added, ...")},
                               {"who", text("the user or token").optional()},
                               {"by", text("how they proved it").optional()},
                               {"role", text().optional()},
                               {"address", text().optional()},
                               {"forwarded_for", text("as claimed by the client or a proxy").optional()},
                               {"object", text("what was changed").optional()},
                               {"before", any().optional()},
                               {"after", any().optional()},
                               {"reason", text("of a refusal").optional()}});
  return object({{"events", list(event, "newest first, since the start of the server")},
                 {"file", text("null: events are not written to a file").or_null()}});
}

// The hash against which the passwords of unknown users are verified. It costs as much as that of a known user, so that
// the duration of a reply does not reveal whether a user exists.
access::PasswordHash dummy_for(const access::Accounts& accounts) {
  if (accounts.users.empty()) return access::dummy_hash();
  const auto known = access::parse_password_hash(accounts.users.begin()->second.password);
  return known ? access::dummy_hash(known->cost) : access::dummy_hash();
}

}  // namespace

struct Api::Login {
  Request request;  // without its body
  access::Credentials given;
  std::string credential;  // the user's password hash; empty: there is no such user
  access::PasswordHash hash;
  Result<bool> matches = false;
};

void Api::declare_session(RouteTable& table) {
  table.routes.push_back({.method = "POST",
                          .path = "/login",
                          .role = Role::kNone,
                          .id = "logIn",
                          .summary = "Log in: sets the cookie of a session",
                          .result = object({{"user", text()}, {"role", one_of({"viewer", "editor", "admin"})}}),
                          .errors = {{401, "The user or the password is wrong."},
                                     {429,
                                      "Too many logins failed for this address or this user. Retry-After says "
                                      "when to try again."}},
                          .body = object({{"user", text()}, {"password", text()}}),
                          .handler = [this](const Call& call) { log_in(call); }});
  table.routes.push_back({.method = "POST",
                          .path = "/logout",
                          .role = Role::kViewer,
                          .id = "logOut",
                          .summary = "End the session of the request's cookie, and its event streams",
                          .result = open_object(),
                          .handler = [this](const Call& call) { log_out(call); }});
  table.routes.push_back({.method = "GET",
                          .path = "/session",
                          .role = Role::kNone,
                          .id = "getSession",
                          .summary = "Who is logged in",
                          .result = session_result(),
                          .handler = [this](const Call& call) { call.reply(session(call.who)); }});
  table.routes.push_back({.method = "GET",
                          .path = "/audit",
                          .role = Role::kAdmin,
                          .id = "getAudit",
                          .summary = "Changes, logins and refusals",
                          .parameters = {{.name = "limit",
                                          .description = "The most events to return.",
                                          .type = Parameter::Type::kInteger,
                                          .min = 1,
                                          .max = static_cast<int64_t>(access::AuditLog::kKept),
                                          .otherwise = "100"}},
                          .result = audit_result(),
                          .handler = [this](const Call& call) {
                            const auto count = static_cast<size_t>(call.query.integer("limit").value_or(1));
                            call.reply(json_reply(fmt::format(R"({{"events":{},"file":{}}})", audit_.newest(count),
                                                              text_or_null(audit_.path()))));
                          }});
}

Reply Api::session(const Identity& who) const {
  return json_reply(fmt::format(R"({{"user":{},"by":"{}","role":"{}","csrf":{},"logins":{}}})", text_or_null(who.name),
                                who.kind_name(), access::to_string(who.role), text_or_null(who.csrf),
                                gate_.has_logins()));
}

// Takes an attempt of the address and the user. Returns the seconds until the next one is allowed; 0: this one is.
int Api::wait_for_login(const Request& request, const std::string& user) {
  const int64_t wait = logins_by_address_.take(gate_.client_group(request));
  return retry_after_s(wait > 0 ? wait : logins_by_user_.take(user));
}

void Api::log_in(const Call& call) {
  const access::Accounts* const accounts = gate_.accounts();
  if (accounts == nullptr) {
    call.reply(error_reply(403, "this server has no users: it was started without --users"));
    return;
  }
  auto given = access::parse_login(call.request.body);
  if (!given) {
    call.reply(error_reply(given.error()));
    return;
  }
  // An attempt counts only if the password is looked at.
  if (password_executor_.full()) {
    call.reply(password_executor_.refusal());
    return;
  }
  if (const int wait = wait_for_login(call.request, given->user); wait > 0) {
    log_warning("login refused: too many have failed",
                {{"address", call.request.address}, {"forwarded_for", call.request.forwarded_for}});
    Reply reply = error_reply(429, "too many logins failed for this address or this user; try again later");
    reply.retry_after_s = wait;
    call.reply(std::move(reply));
    return;
  }
  auto login = std::make_shared<Login>();
  login->request = call.request;
  login->request.body.clear();
  login->given = std::move(*given);
  login->hash = dummy_for(*accounts);
  if (const access::User* const user = accounts->user(login->given.user)) {
    login->credential = user->password;
    if (const auto hash = access::parse_password_hash(user->password)) login->hash = *hash;
  }
  password_executor_.submit(
      call.responder,
      [login] {
        login->matches = access::matches(login->given.password, login->hash);
        access::wipe(login->given.password);
      },
      [this, login] { return finish_login(*login); });
}

void Api::give_back_attempt(const Login& login) {
  logins_by_address_.give_back(gate_.client_group(login.request));
  logins_by_user_.give_back(login.given.user);
}

Reply Api::finish_login(const Login& login) {
  if (!login.matches) {
    give_back_attempt(login);
    return error_reply(503, login.matches.error().message());
  }
  // The users file may have changed in the meantime.
  const access::User* const user = gate_.accounts()->user(login.given.user);
  const bool known = user != nullptr && user->password == login.credential && *login.matches;
  Identity who;
  who.name = login.given.user;
  if (!known) {
    who.name = gate_.logged_name(login.given.user);
    logins_failed_.add();
    audit_.write(Gate::event_of("login.failed", login.request, who));
    log_warning(
        "login failed",
        {{"user", who.name}, {"address", login.request.address}, {"forwarded_for", login.request.forwarded_for}});
    return error_reply(401, "the user or the password is wrong");
  }
  give_back_attempt(login);
  logins_.add();
  who.kind = Identity::Kind::kSession;
  who.role = user->role;
  audit_.write(Gate::event_of("login", login.request, who));
  log_info("login",
           {{"user", user->name}, {"role", access::to_string(user->role)}, {"address", login.request.address}});
  Reply reply =
      json_reply(fmt::format(R"({{"user":{},"role":"{}"}})", json_quote(user->name), access::to_string(user->role)));
  reply.set_cookie = gate_.log_in(login.request, user->name, login.credential);
  return reply;
}

void Api::log_out(const Call& call) {
  Reply reply = json_reply("{}");
  reply.set_cookie = gate_.log_out(call.request);
  if (call.who.kind == Identity::Kind::kSession) {
    audit_.write(Gate::event_of("logout", call.request, call.who));
    log_info("logout", {{"user", call.who.name}, {"address", call.request.address}});
  }
  call.reply(std::move(reply));
}

}  // namespace monitor::analysis::web
