// The calls for a lease of etcd: a key that is put under a lease exists only as long as its process renews the lease.
//
// On the thread of the client. `reply` is called once, unless the returned call is destroyed before; it may destroy the
// call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

// Replies with the id of the new lease.
std::unique_ptr<EtcdCall> grant_lease(EtcdClient& client, int64_t ttl_seconds, int64_t timeout_ns,
                                      std::function<void(Result<int64_t> id)> reply);

// Replies with the time that the lease lasts from now on, in seconds; 0 or less: it has ended.
std::unique_ptr<EtcdCall> renew_lease(EtcdClient& client, int64_t id, int64_t timeout_ns,
                                      std::function<void(Result<int64_t> ttl_seconds)> reply);

// Ends the lease, and with it the keys that are under it.
std::unique_ptr<EtcdCall> revoke_lease(EtcdClient& client, int64_t id, int64_t timeout_ns,
                                       std::function<void(Status revoked)> reply);

}  // namespace monitor::config
