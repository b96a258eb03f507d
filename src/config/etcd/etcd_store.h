// EtcdStore: etcd as a store of documents. Every write is a transaction that compares what was read, so that nobody's
// change in between is lost.
//
// It waits for answers by turning the owner's loop, and tries again after a failure of the connection, on the next
// endpoint: twice each endpoint, within the time limit. Errors: kUnavailable and kDeadlineExceeded (no etcd to be had),
// kUnauthenticated, kPermissionDenied, and what etcd says.
//
// Thread contract: the loop's thread, not from within its callbacks. Timers and client must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "config/etcd/etcd_client.h"
#include "config/store.h"

namespace monitor::config {

struct EtcdStoreOptions {
  int64_t call_timeout_ns = 4 * kNanosPerSecond;
  int64_t total_timeout_ns = 10 * kNanosPerSecond;  // of one operation, with all its attempts
};

class EtcdStore final : public ConfigStore {
 public:
  // `turn` lets the loop handle what is there, waiting for it if need be.
  EtcdStore(Timers& timers, EtcdClient& client, std::function<void()> turn, EtcdStoreOptions options = {});

  Result<std::optional<Stored>> get(const std::string& key) override;
  Result<std::map<std::string, Stored>> list(const std::string& prefix) override;
  // A change that leaves the document as it is writes nothing, and has the revision of the document.
  Result<int64_t> update(const std::string& key, const Change& change) override;
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) override;
  std::string describe(const std::string& key) const override;

 private:
  template <typename Response, typename Request>
  Result<Response> ask(std::string_view path, const Request& request, int64_t deadline, bool repeat);
  template <typename Response, typename Request>
  Result<Response> ask_once(std::string_view path, const Request& request, int64_t deadline);
  void wait(int64_t ns);

  Timers& timers_;
  EtcdClient& client_;
  std::function<void()> turn_;
  EtcdStoreOptions options_;
};

}  // namespace monitor::config
