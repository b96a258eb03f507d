// EtcdStatusPublisher: publishes an agent's status under a lease (leased_key.h), and its inventory without one. A
// failed write is retried with the next status report, at most 10 s later.
//
// Thread contract: the loop's thread. All constructor arguments must outlive it.
#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/random.h"
#include "config/etcd/etcd_client.h"
#include "config/etcd/leased_key.h"
#include "config/status.h"

namespace monitor::config {

class EtcdStatusPublisher final : public StatusPublisher {
 public:
  EtcdStatusPublisher(Timers& timers, Random& random, EtcdClient& client, const std::string& agent_id);
  ~EtcdStatusPublisher() override;
  EtcdStatusPublisher(const EtcdStatusPublisher&) = delete;
  EtcdStatusPublisher& operator=(const EtcdStatusPublisher&) = delete;

  void put_status(std::string json) override;
  void put_inventory(std::string json) override;
  void stop(std::string inventory, std::function<void()> done) override;
  const LeasedKey::State& status() const { return status_.state(); }

 private:
  void put_waiting();

  EtcdClient& client_;
  LeasedKey status_;
  std::string inventory_key_;
  std::string inventory_;  // not yet in etcd; empty: nothing is pending
  std::unique_ptr<EtcdCall> call_;
};

}  // namespace monitor::config
