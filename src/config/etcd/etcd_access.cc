#include "config/etcd/etcd_access.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/etcd/messages.h"

namespace monitor::config {

namespace {

using Repeat = BlockingEtcdClient::Repeat;
constexpr std::string_view kRoot = "root";

// etcd uses one code for all of these errors; only the text distinguishes them.
bool says(const Error& error, std::string_view text) { return error.message().find(text) != std::string::npos; }
bool is_absent(const Error& error) { return says(error, "role name not found") || says(error, "user name not found"); }
bool is_there(const Error& error) { return says(error, "already exists"); }

KeyPermission from_etcd(const pb::Permission& one) {
  return {one.key(), one.range_end(), one.type() != pb::Permission::READ};
}

}  // namespace

EtcdAccess::EtcdAccess(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options)
    : client_(timers, client, std::move(turn), options) {}

template <typename Response, typename Request>
Result<std::optional<Response>> EtcdAccess::look_up(std::string_view path, const Request& request) {
  auto found = ask_etcd<Response>(client_, path, request, client_.deadline(), Repeat::kYes);
  if (found) return std::optional<Response>(std::move(*found));
  if (is_absent(found.error())) return std::optional<Response>();
  return found.error();
}

// Idempotent: after an attempt without an answer, the change may already have been made.
template <typename Request>
Status EtcdAccess::change(std::string_view path, const Request& request) {
  const auto done = ask_etcd<pb::AuthResponse>(client_, path, request, client_.deadline(), Repeat::kYes);
  return done || is_there(done.error()) ? Status() : Status(done.error());
}

Result<Ensured> EtcdAccess::role(const KeyRole& role) {
  pb::AuthRoleGetRequest ask;
  ask.set_role(role.name);
  const auto found = look_up<pb::AuthRoleGetResponse>(kRoleGetPath, ask);
  if (!found) return found.error();
  std::vector<KeyPermission> has;
  if (*found) {
    for (const pb::Permission& one : (*found)->permissions()) has.push_back(from_etcd(one));
  } else {
    pb::AuthRoleAddRequest add;
    add.set_name(role.name);
    if (Status added = change(kRoleAddPath, add); !added) return added.error();
  }
  const RoleChange wanted = change_of(has, role);
  for (const KeyPermission& permission : wanted.revoke) {
    pb::AuthRoleRevokePermissionRequest revoke;
    revoke.set_role(role.name);
    revoke.set_key(permission.key);
    revoke.set_range_end(permission.end);
    if (Status revoked = change(kRoleRevokePermissionPath, revoke); !revoked) return revoked.error();
  }
  for (const KeyPermission& permission : wanted.grant) {
    pb::AuthRoleGrantPermissionRequest grant;
    grant.set_name(role.name);
    grant.mutable_permission()->set_key(permission.key);
    grant.mutable_permission()->set_range_end(permission.end);
    grant.mutable_permission()->set_type(permission.write ? pb::Permission::READWRITE : pb::Permission::READ);
    if (Status granted = change(kRoleGrantPermissionPath, grant); !granted) return granted.error();
  }
  if (!*found) return Ensured::kMade;
  return wanted.empty() ? Ensured::kUnchanged : Ensured::kChanged;
}

Result<Ensured> EtcdAccess::user(const User& user) {
  pb::AuthUserGetRequest ask;
  ask.set_name(user.name);
  const auto found = look_up<pb::AuthUserGetResponse>(kUserGetPath, ask);
  if (!found) return found.error();
  Ensured result = Ensured::kUnchanged;
  if (!*found) {
    pb::AuthUserAddRequest add;
    add.set_name(user.name);
    add.set_password(user.password.value_or(""));
    add.mutable_options()->set_no_password(!user.password);
    if (Status added = change(kUserAddPath, add); !added) return added.error();
    result = Ensured::kMade;
  } else if (user.password && user.set_password) {
    pb::AuthUserChangePasswordRequest password;
    password.set_name(user.name);
    password.set_password(*user.password);
    if (Status changed = change(kUserChangePasswordPath, password); !changed) return changed.error();
    result = Ensured::kChanged;
  }
  const bool has_role = *found && std::count((*found)->roles().begin(), (*found)->roles().end(), user.role) > 0;
  if (has_role) return result;
  if (user.role == kRoot) {  // etcd has a role root before it is created, but cannot grant it then
    pb::AuthRoleAddRequest add;
    add.set_name(user.role);
    if (Status added = change(kRoleAddPath, add); !added) return added.error();
  }
  pb::AuthUserGrantRoleRequest grant;
  grant.set_user(user.name);
  grant.set_role(user.role);
  if (Status granted = change(kUserGrantRolePath, grant); !granted) return granted.error();
  return result == Ensured::kMade ? result : Ensured::kChanged;
}

Status EtcdAccess::enable() { return change(kAuthEnablePath, pb::AuthEnableRequest()); }

}  // namespace monitor::config
