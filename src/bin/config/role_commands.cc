#include "bin/config/role_commands.h"

#include <fmt/format.h>

#include <iostream>
#include <optional>
#include <set>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "config/etcd/etcd_access.h"
#include "config/keys.h"

namespace monitor {

namespace {

using config::Ensured;

constexpr size_t kMaxPasswordBytes = 4096;
constexpr std::string_view kRoot = "root";

std::string_view describe(Ensured what) {
  switch (what) {
    case Ensured::kMade:
      return "created";
    case Ensured::kChanged:
      return "changed";
    case Ensured::kUnchanged:
      return "unchanged";
  }
  return "";
}

// 32 characters out of 62: 190 bits.
std::string new_password() {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr size_t kLength = 32;
  SystemRandom random;
  std::string password;
  while (password.size() < kLength) password += kLetters[random.below(kLetters.size())];
  return password;
}

struct Password {
  std::string text;
  bool is_new = false;
};

// Reads the user's password file, or creates it with mode 0600.
Result<Password> password_of(FileDisk& disk, const std::string& file) {
  const auto there = disk.read_file(file, kMaxPasswordBytes);
  if (there) {
    std::string text = there->substr(0, there->find_first_of("\r\n"));
    if (text.empty()) return Error(Code::kInvalidArgument, file + ": its first line is empty, expected a password");
    return Password{std::move(text), false};
  }
  if (there.error().code() != Code::kNotFound) return there.error();
  Password made{new_password(), true};
  const auto opened = disk.open_file(file, FileDisk::Open::kCreate);
  if (!opened) return opened.error();
  const std::string line = made.text + "\n";
  const auto written = (*opened)->write_at(0, line);
  if (!written) return written.error();
  if (*written != line.size()) return Error(Code::kResourceExhausted, "writing " + file + ": the disk is full");
  if (Status synced = (*opened)->sync(); !synced) return synced.error();
  return made;
}

class Roles {
 public:
  Roles(const ConfigContext& context, config::EtcdClient& client, FileDisk& disk, const RoleFlags& flags)
      : context_(context),
        disk_(disk),
        flags_(flags),
        access_(context.loop, client, [&context] { context.loop.run_once(-1); }) {}

  int run() {
    const auto agents = agents_of();
    if (!agents) return config_failure(agents.error());
    if (!flags_.passwords.empty()) {
      if (Status made = disk_.make_folder(flags_.passwords); !made) return config_failure(made.error());
    }
    std::vector<config::KeyRole> roles = {config::reader_role(), config::author_role()};
    for (const std::string& id : *agents) roles.push_back(config::agent_role(id, flags_.config_key));
    for (const config::KeyRole& role : roles) {
      if (Status done = one(role); !done) return config_failure(done.error());
    }
    if (agents->empty()) std::cout << "no agents are known yet; pass their ids, for example: init-roles web-1 web-2\n";
    return flags_.enable_auth ? enable() : kExitOk;
  }

 private:
  Result<std::set<std::string>> agents_of() const {
    std::set<std::string> agents(flags_.agents.begin(), flags_.agents.end());
    if (!context_.agent_id.empty()) agents.insert(context_.agent_id);
    if (!agents.empty()) return agents;
    const auto keys = context_.all();
    if (!keys) return keys.error();
    for (const auto& [key, stored] : *keys) {
      const config::KeyKind kind = config::kind_of_key(key);
      if (kind == config::KeyKind::kAgent || kind == config::KeyKind::kInventory) {
        agents.emplace(config::name_of_key(key));
      }
    }
    return agents;
  }

  Status one(const config::KeyRole& role) {
    const auto ensured = access_.role(role);
    if (!ensured) return ensured.error().with_context("role " + role.name);
    std::cout << fmt::format("role {} {}: reads {}", role.name, describe(*ensured), config::describe_keys(role, false));
    const std::string writes = config::describe_keys(role, true);
    std::cout << (writes.empty() ? "" : "; writes " + writes) << "\n";
    return flags_.passwords.empty() && !flags_.client_certificates ? Status() : user(role.name, role.name);
  }

  Status user(const std::string& name, const std::string& role) {
    config::EtcdAccess::User user{name, role, std::nullopt, false};
    std::string known = "by a certificate with this CN";
    if (!flags_.passwords.empty()) {
      const std::string file = flags_.passwords + "/" + name;
      auto password = password_of(disk_, file);
      if (!password) return password.error().with_context("password of " + name);
      user.password = std::move(password->text);
      user.set_password = password->is_new;
      known = "by the password in " + file;
    }
    const auto ensured = access_.user(user);
    if (!ensured) return ensured.error().with_context("user " + name);
    std::cout << fmt::format("user {} {}: identified {}\n", name, describe(*ensured), known);
    return {};
  }

  int enable() {
    if (Status root = user(std::string(kRoot), std::string(kRoot)); !root) return config_failure(root.error());
    if (Status on = access_.enable(); !on) return config_failure(on.error().with_context("enabling authentication"));
    std::cout << "authentication is enabled: from now on every client needs a user\n";
    return kExitOk;
  }

  const ConfigContext& context_;
  FileDisk& disk_;
  const RoleFlags& flags_;
  config::EtcdAccess access_;
};

// Returns an error text, or an empty string.
std::string fault_of(const ConfigContext& context, const RoleFlags& flags) {
  if (!flags.passwords.empty() && flags.client_certificates) {
    return "init-roles: --passwords and --client-certificates exclude each other";
  }
  if (flags.enable_auth && flags.passwords.empty() && !flags.client_certificates) {
    return "init-roles: --enable-auth without users locks everybody out; add --passwords FOLDER or "
           "--client-certificates";
  }
  for (const std::string& id : flags.agents) {
    if (!valid_name(id)) {
      return fmt::format("init-roles: got the agent {}, expected 1 to 128 of [A-Za-z0-9._-]",
                         json_quote(id.substr(0, 160)));
    }
  }
  if (!flags.config_key.empty()) {
    if (const Status valid = config::check_key(flags.config_key); !valid) {
      return "init-roles: --config-key: " + valid.error().message();
    }
  }
  const size_t named = flags.agents.size() + (context.agent_id.empty() ? 0 : 1);
  if (!flags.config_key.empty() && named != 1) return "init-roles: --config-key needs exactly one agent";
  return "";
}

}  // namespace

int run_init_roles(const ConfigContext& context, config::EtcdClient& client, FileDisk& disk, const RoleFlags& flags) {
  if (const std::string fault = fault_of(context, flags); !fault.empty()) return context.cli.usage_error(fault);
  return Roles(context, client, disk, flags).run();
}

}  // namespace monitor
