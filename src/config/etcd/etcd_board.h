// Status and inventory in etcd: the status under a lease (presence.h), the inventory without one. What cannot be put is
// tried again with the next report of the status, at the latest after 10 s. On the loop's thread; all parts must
// outlive it.
#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/random.h"
#include "config/etcd/etcd_client.h"
#include "config/etcd/presence.h"
#include "config/status.h"

namespace monitor::config {

class EtcdBoard final : public StatusBoard {
 public:
  EtcdBoard(Timers& timers, Random& random, EtcdClient& client, const std::string& agent_id);
  ~EtcdBoard() override;
  EtcdBoard(const EtcdBoard&) = delete;
  EtcdBoard& operator=(const EtcdBoard&) = delete;

  void put_status(std::string json) override;
  void put_inventory(std::string json) override;
  void stop(std::string inventory, std::function<void()> done) override;
  const Presence::State& presence() const { return presence_.state(); }

 private:
  void put_waiting();

  EtcdClient& client_;
  Presence presence_;
  std::string inventory_key_;
  std::string inventory_;  // not yet put; empty: nothing waits
  std::unique_ptr<EtcdCall> call_;
};

}  // namespace monitor::config
