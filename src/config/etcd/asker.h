// EtcdAsker: calls to etcd for who can wait for the answer. It turns the owner's loop meanwhile, and tries again after
// a failure of the connection, on the next endpoint: twice each endpoint, within the time limit. Errors: kUnavailable
// and kDeadlineExceeded (no etcd to be had), kUnauthenticated, kPermissionDenied, and what etcd says.
//
// Thread contract: the loop's thread, not from within its callbacks. Timers and client must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

struct EtcdAskerOptions {
  int64_t call_timeout_ns = 4 * kNanosPerSecond;
  int64_t total_timeout_ns = 10 * kNanosPerSecond;  // of one operation, with all its attempts
};

class EtcdAsker {
 public:
  // `turn` lets the loop handle what is there, waiting for it if need be.
  EtcdAsker(Timers& timers, EtcdClient& client, std::function<void()> turn, EtcdAskerOptions options);

  enum class Repeat { kYes, kNo };  // whether the same call twice does what it does once
  // Messages of etcd in their wire form; the deadline is on the monotonic clock.
  Result<std::string> ask(std::string_view path, const std::string& request, int64_t deadline, Repeat repeat);

  // Of an operation that begins now.
  int64_t deadline() const { return timers_.clock().mono_ns() + options_.total_timeout_ns; }
  // Whether it makes sense to ask again after this error, some time later.
  bool may_pass(const Error& error, int64_t deadline) const;
  void wait_a_moment();

 private:
  Result<std::string> ask_once(std::string_view path, const std::string& request, int64_t deadline);

  Timers& timers_;
  EtcdClient& client_;
  std::function<void()> turn_;
  EtcdAskerOptions options_;
};

}  // namespace monitor::config
