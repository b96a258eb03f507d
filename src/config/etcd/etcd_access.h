// EtcdAccess: creates users and roles in etcd, and enables authentication. Every operation is idempotent, so a failed
// setup can be repeated. With authentication enabled, it needs the user root.
//
// Blocks like BlockingEtcdClient, with the same errors.
//
// Thread contract: the loop's thread, outside its callbacks. Timers and client must outlive it.
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

  // Creates or changes the role so that it has exactly these permissions.
  Result<Ensured> role(const KeyRole& role);
  struct User {
    std::string name;
    std::string role;
    std::optional<std::string> password;  // nothing: identified by its certificate's CN only
    bool set_password = false;            // also changes the password of an existing user
  };
  // Creates the user if needed, and grants it the role. Its other roles stay.
  Result<Ensured> user(const User& user);
  // Enables authentication: from then on every call needs a user. Requires a user root with the role root.
  Status enable();

 private:
  // Returns nothing if the role or user does not exist.
  template <typename Response, typename Request>
  Result<std::optional<Response>> look_up(std::string_view path, const Request& request);
  template <typename Request>
  Status change(std::string_view path, const Request& request);

  BlockingEtcdClient client_;
};

}  // namespace monitor::config
