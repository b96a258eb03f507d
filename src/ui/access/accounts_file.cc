#include "ui/access/accounts_file.h"

#include <utility>

#include "base/clock.h"
#include "base/lock_file.h"
#include "base/trust.h"

namespace monitor::access {

namespace {

int64_t nanos(const timespec& time) { return int64_t{time.tv_sec} * kNanosPerSecond + time.tv_nsec; }

void compare_users(const Accounts& before, const Accounts& after, std::vector<AccountChange>& changes) {
  for (const auto& [name, user] : before.users) {
    const User* const now = after.user(name);
    const std::string role(to_string(user.role));
    if (now == nullptr) {
      changes.push_back({"user.removed", name, role, ""});
      continue;
    }
    if (now->role != user.role) changes.push_back({"user.role", name, role, std::string(to_string(now->role))});
    if (now->password != user.password) changes.push_back({"user.password", name, "", ""});
  }
  for (const auto& [name, user] : after.users) {
    if (before.user(name) == nullptr) changes.push_back({"user.added", name, "", std::string(to_string(user.role))});
  }
}

void compare_tokens(const Accounts& before, const Accounts& after, std::vector<AccountChange>& changes) {
  for (const auto& [name, token] : before.tokens) {
    const auto now = after.tokens.find(name);
    if (now == after.tokens.end()) {
      changes.push_back({"token.revoked", name, std::string(to_string(token.role)), ""});
    } else if (now->second != token) {
      changes.push_back(
          {"token.replaced", name, std::string(to_string(token.role)), std::string(to_string(now->second.role))});
    }
  }
  for (const auto& [name, token] : after.tokens) {
    if (!before.tokens.contains(name)) {
      changes.push_back({"token.created", name, "", std::string(to_string(token.role))});
    }
  }
}

}  // namespace

Result<Accounts> read_accounts(const std::string& path) {
  const auto text = read_secret_file(path, kMaxAccountsBytes, "the users file");
  if (!text) return text.error();
  auto accounts = parse_accounts(*text);
  return accounts ? std::move(accounts) : accounts.error().with_context(path);
}

Status edit_accounts(Disk& disk, const std::string& path, const std::function<Status(Accounts&)>& edit) {
  const auto lock = LockFile::acquire(path + ".lock", "the users file " + path);
  if (!lock) return lock.error();
  auto accounts = read_accounts(path);
  if (!accounts && accounts.error().code() == Code::kNotFound) accounts = Accounts();
  if (!accounts) return accounts.error();
  if (Status edited = edit(*accounts); !edited) return edited;
  return disk.write_file(path, accounts_json(*accounts));
}

std::vector<AccountChange> changes_between(const Accounts& before, const Accounts& after) {
  std::vector<AccountChange> changes;
  compare_users(before, after, changes);
  compare_tokens(before, after, changes);
  return changes;
}

AccountsFile::Version AccountsFile::current() const {
  struct stat info{};
  if (stat(path_.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size, nanos(info.st_mtim), nanos(info.st_ctim)};
}

std::optional<Accounts> AccountsFile::refresh() {
  const Version version = current();
  if (tried_ && version == read_) return std::nullopt;
  tried_ = true;
  read_ = version;
  auto accounts = read_accounts(path_);
  if (!accounts) {
    trouble_ = accounts.error();
    return std::nullopt;
  }
  trouble_.reset();
  if (*accounts == accounts_) return std::nullopt;
  return std::exchange(accounts_, std::move(*accounts));
}

}  // namespace monitor::access
