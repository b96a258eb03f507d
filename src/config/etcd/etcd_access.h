// EtcdAccess: users and roles of an etcd, and the switch that makes them count. What is as it should be stays
// untouched, so that everything may be done again after a failure. With authentication on, it needs the user root.
//
// It waits for answers as BlockingEtcdClient does, with its errors.
//
// Thread contract: the loop's thread, not from within its callbacks. Timers and client must outlive it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "config/etcd/blocking_etcd_client.h"
#include "config/etcd/etcd_client.h"
#include "config/etcd/roles.h"

namespace monitor::config {

enum class Ensured { kMade, kChanged, kUnchanged };

class EtcdAccess {
 public:
  EtcdAccess(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options = {});

  // The role with just these permissions.
  Result<Ensured> role(const KeyRole& role);
  struct User {
    std::string name;
    std::string role;
    std::optional<std::string> password;  // nothing: known by its certificate's CN alone
    bool set_password = false;            // also of a user that there is
  };
  // The user with this role, whatever others it has.
  Result<Ensured> user(const User& user);
  // From now on nobody does anything without being a user. There must be a user root of the role root.
  Status enable();

 private:
  // Nothing: there is no such role or user.
  template <typename Response, typename Request>
  Result<std::optional<Response>> look_up(std::string_view path, const Request& request);
  template <typename Request>
  Status change(std::string_view path, const Request& request);

  BlockingEtcdClient client_;
};

}  // namespace monitor::config
