#include "config/etcd/lease.h"

#include <utility>

#include "config/etcd/messages.h"

namespace monitor::config {

std::unique_ptr<EtcdCall> grant_lease(EtcdClient& client, int64_t ttl_seconds, int64_t timeout_ns,
                                      std::function<void(Result<int64_t> id)> reply) {
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  return call_etcd<pb::LeaseGrantResponse>(
      client, kLeaseGrantPath, request, timeout_ns,
      [reply = std::move(reply)](const Result<pb::LeaseGrantResponse>& response) {
        reply(response ? Result<int64_t>(response->id()) : Result<int64_t>(response.error()));
      });
}

// A keepalive stream with a single request, used like a unary call.
std::unique_ptr<EtcdCall> renew_lease(EtcdClient& client, int64_t id, int64_t timeout_ns,
                                      std::function<void(Result<int64_t> ttl_seconds)> reply) {
  pb::LeaseKeepAliveRequest request;
  request.set_id(id);
  return call_etcd<pb::LeaseKeepAliveResponse>(
      client, kLeaseKeepAlivePath, request, timeout_ns,
      [reply = std::move(reply)](const Result<pb::LeaseKeepAliveResponse>& response) {
        reply(response ? Result<int64_t>(response->ttl()) : Result<int64_t>(response.error()));
      });
}

std::unique_ptr<EtcdCall> revoke_lease(EtcdClient& client, int64_t id, int64_t timeout_ns,
                                       std::function<void(Status revoked)> reply) {
  pb::LeaseRevokeRequest request;
  request.set_id(id);
  return call_etcd<pb::LeaseRevokeResponse>(
      client, kLeaseRevokePath, request, timeout_ns,
      [reply = std::move(reply)](const Result<pb::LeaseRevokeResponse>& response) {
        reply(response ? Status() : Status(response.error()));
      });
}

}  // namespace monitor::config
