// etcd's messages and the paths of its methods; for *.cc of this folder only.
#pragma once

#include <etcd/etcd.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/etcd/etcd_client.h"

namespace monitor::config {

namespace pb = etcdpb;

inline constexpr std::string_view kRangePath = "/etcdserverpb.KV/Range";
inline constexpr std::string_view kPutPath = "/etcdserverpb.KV/Put";
inline constexpr std::string_view kTxnPath = "/etcdserverpb.KV/Txn";
inline constexpr std::string_view kWatchPath = "/etcdserverpb.Watch/Watch";
inline constexpr std::string_view kLeaseGrantPath = "/etcdserverpb.Lease/LeaseGrant";
inline constexpr std::string_view kLeaseKeepAlivePath = "/etcdserverpb.Lease/LeaseKeepAlive";
inline constexpr std::string_view kLeaseRevokePath = "/etcdserverpb.Lease/LeaseRevoke";
inline constexpr std::string_view kAuthenticatePath = "/etcdserverpb.Auth/Authenticate";

template <typename Message>
Result<Message> parse_message(std::string_view bytes) {
  Message message;
  if (bytes.size() > INT32_MAX || !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(Code::kInternal, "etcd sent a message that cannot be read");
  }
  return message;
}

// A call with messages instead of bytes.
template <typename Response, typename Request>
std::unique_ptr<EtcdCall> call_etcd(EtcdClient& client, std::string_view path, const Request& request,
                                    int64_t timeout_ns, std::function<void(Result<Response>)> reply) {
  return client.call(path, request.SerializeAsString(), timeout_ns,
                     [reply = std::move(reply)](const Result<std::string>& answer) {
                       reply(answer ? parse_message<Response>(*answer) : Result<Response>(answer.error()));
                     });
}

}  // namespace monitor::config
