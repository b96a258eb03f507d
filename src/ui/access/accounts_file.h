// AccountsFile: the users file as a running server follows it; and edits of that file by commands.
//
// An AccountsFile belongs to one thread. edit_accounts() may run in any process: a lock file beside the users file
// admits one editor at a time, and a reader sees the old content or the new one, never a part.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "ui/access/accounts.h"

namespace monitor::access {

inline constexpr size_t kMaxAccountsBytes = size_t{1} << 20U;

// The file must belong to this user or root, and nobody else may write to it. kNotFound if it does not exist.
Result<Accounts> read_accounts(const std::string& path);

// Reads the accounts (none if the file does not exist), edits them and replaces the file (mode 0600). An error of
// `edit` leaves the file as it was. kAborted if another process is editing it.
Status edit_accounts(Disk& disk, const std::string& path, const std::function<Status(Accounts&)>& edit);

// One difference between two versions of the accounts, for the audit log.
struct AccountChange {
  std::string event;   // "user.added", "user.role", "token.revoked", ...
  std::string name;    // of the user or token
  std::string before;  // the role; empty: there was none
  std::string after;
  bool operator==(const AccountChange&) const = default;
};
std::vector<AccountChange> changes_between(const Accounts& before, const Accounts& after);

class AccountsFile {
 public:
  explicit AccountsFile(std::string path) : path_(std::move(path)) {}

  // Reads the file again if it has changed since the last call. If accounts() is then different, returns the previous
  // accounts. After an error, the accounts are unchanged and trouble() says why: a file that is being edited must not
  // log everyone out.
  std::optional<Accounts> refresh();
  const Accounts& accounts() const { return accounts_; }
  // nullopt: accounts() equals the file.
  const std::optional<Error>& trouble() const { return trouble_; }
  const std::string& path() const { return path_; }

 private:
  struct Version {
    ino_t inode = 0;
    int64_t size = -1;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;  // rises even if somebody sets the modification time
    bool operator==(const Version&) const = default;
  };
  Version current() const;

  const std::string path_;
  Accounts accounts_;
  std::optional<Error> trouble_;
  Version read_;
  bool tried_ = false;
};

}  // namespace monitor::access
