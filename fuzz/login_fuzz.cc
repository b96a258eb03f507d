// What strangers send to log in (the body of a login, the Cookie header), the users file, addresses of proxies, and
// what the audit log writes about a document. The input is a NUL-separated list of two strings.
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "ui/access/accounts.h"
#include "ui/access/audit_log.h"
#include "ui/access/credentials.h"
#include "ui/access/network.h"
#include "ui/access/password.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::access;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string first = text.substr(0, text.find('\0'));
  const std::string second = text.size() > first.size() ? text.substr(first.size() + 1) : "";

  if (const auto login = parse_login(text)) {
    if (login->user.empty() || login->password.size() > kMaxPassword) __builtin_trap();
  }
  // A session id has exactly one form.
  if (const auto id = session_cookie({first, second}, "monitor-session")) {
    if (id->size() != 64 || id->find_first_not_of("0123456789abcdef") != std::string::npos) __builtin_trap();
  }
  // What is accepted keeps its meaning when it is written again.
  if (const auto accounts = parse_accounts(text)) {
    const auto again = parse_accounts(accounts_json(*accounts));
    if (!again || again->users.size() != accounts->users.size() || again->tokens.size() != accounts->tokens.size()) {
      __builtin_trap();
    }
    for (const auto& [name, user] : accounts->users) {
      if (!valid_user_name(name) || user.role == Role::kNone) __builtin_trap();
    }
  }
  if (const auto hash = parse_password_hash(first)) {
    if (128 * hash->cost.n * hash->cost.r > kMaxScryptBytes || hash->cost.p > kMaxScryptP) __builtin_trap();
  }
  if (const auto network = Network::parse(first)) (void)network->contains(second);
  const size_t digits = limit_group(first).size();
  if (digits != 0 && digits != 8 && digits != 16) __builtin_trap();
  const std::string value = audit_value(text);
  if (value.size() > AuditLog::kMaxValue || value.find('\n') != std::string::npos) __builtin_trap();
  if (nlohmann::json::parse(value, nullptr, false).is_discarded()) __builtin_trap();
  return 0;
}
