// Typed etcd calls, and the paths of etcd's methods. Internal to this folder.
#pragma once

#include <etcd/etcd.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/etcd/blocking_etcd_client.h"
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
inline constexpr std::string_view kAuthEnablePath = "/etcdserverpb.Auth/AuthEnable";
inline constexpr std::string_view kUserAddPath = "/etcdserverpb.Auth/UserAdd";
inline constexpr std::string_view kUserGetPath = "/etcdserverpb.Auth/UserGet";
inline constexpr std::string_view kUserChangePasswordPath = "/etcdserverpb.Auth/UserChangePassword";
inline constexpr std::string_view kUserGrantRolePath = "/etcdserverpb.Auth/UserGrantRole";
inline constexpr std::string_view kRoleAddPath = "/etcdserverpb.Auth/RoleAdd";
inline constexpr std::string_view kRoleGetPath = "/etcdserverpb.Auth/RoleGet";
inline constexpr std::string_view kRoleGrantPermissionPath = "/etcdserverpb.Auth/RoleGrantPermission";
inline constexpr std::string_view kRoleRevokePermissionPath = "/etcdserverpb.Auth/RoleRevokePermission";

template <typename Message>
Result<Message> parse_message(std::string_view bytes) {
  Message message;
  if (bytes.size() > INT32_MAX || !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(Code::kInternal, "etcd sent a malformed message");
  }
  return message;
}

// An asynchronous call with typed messages.
template <typename Response, typename Request>
std::unique_ptr<EtcdCall> call_etcd(EtcdClient& client, std::string_view path, const Request& request,
                                    int64_t timeout_ns, std::function<void(Result<Response>)> reply) {
  return client.call(path, request.SerializeAsString(), timeout_ns,
                     [reply = std::move(reply)](const Result<std::string>& answer) {
                       reply(answer ? parse_message<Response>(*answer) : Result<Response>(answer.error()));
                     });
}

// A blocking call with typed messages.
template <typename Response, typename Request>
Result<Response> ask_etcd(BlockingEtcdClient& client, std::string_view path, const Request& request, int64_t deadline,
                          BlockingEtcdClient::Repeat repeat) {
  const auto answer = client.ask(path, request.SerializeAsString(), deadline, repeat);
  return answer ? parse_message<Response>(*answer) : Result<Response>(answer.error());
}

// The end of the key range of a prefix.
inline std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return {"\0", 1};
  ++prefix.back();
  return prefix;
}

}  // namespace monitor::config
