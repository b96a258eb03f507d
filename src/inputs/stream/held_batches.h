// HeldBatches: batches that the log has accepted but not confirmed, and the last ones that it has confirmed, across all
// loops. After a restart or a broken connection, an agent sends unacknowledged batches again. For a batch that is held
// here, the server answers with the first copy's outcome instead of appending it a second time
// (docs/decisions/131-*.md).
//
// A batch is identified by agent, incarnation, sequence and content. A batch with other content but the same three
// names is appended like a new one, and readers report the conflict. Bounded by the batches in flight and kMostStored.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash64.h"
#include "base/random.h"
#include "inputs/stream/stored_batches.h"
#include "metriclog/log.h"
#include "metrics/check.h"

namespace monitor::server {

class HeldBatches {
 public:
  static constexpr size_t kMostStored = StoredBatches::kMost;

  // Hashes with secret keys of this process, so that nobody can construct a batch that passes for another one.
  struct Id {
    uint64_t first = 0;
    uint64_t second = 0;
    uint64_t content = 0;
  };
  // Receives the outcome of a batch under its token.
  struct Waiter {
    metriclog::DeliveryListener* listener = nullptr;
    uint64_t token = 0;
    bool operator==(const Waiter&) const = default;
  };
  enum class State {
    kUnknown,  // append it
    kHeld,     // the log has accepted it; the waiter will receive the outcome
    kStored,   // the log has confirmed it
    kOther,    // the log has other content under this name; append it
  };
  using Outcomes = std::vector<std::pair<Waiter, metriclog::Delivery>>;

  explicit HeldBatches(Random& random);
  // Passes outcomes on to their listeners. Call without the lock.
  static void deliver(const Outcomes& outcomes);

  Id id_of(const metrics::BatchView& view, std::string_view batch) const;
  // Returns the state of a batch. If it is held, `waiter` waits for its outcome.
  State join(const Id& id, const Waiter& waiter);
  // Like join(), for a batch that is about to be appended: if it is unknown, it is held for `waiter` from now on.
  State hold(const Id& id, const Waiter& waiter);
  // Call if the log did not accept the batch that `waiter` was about to append. Waiters for that batch must send it
  // again.
  Outcomes release(const Waiter& waiter);
  // The outcomes of batches that `listener` appended, for the others that wait for them.
  Outcomes settle(metriclog::DeliveryListener* listener, std::span<const metriclog::Delivery> deliveries);
  // Call if the log will not report batches that `listener` appended. Waiters for those batches must send them again.
  Outcomes reset(metriclog::DeliveryListener* listener);

  size_t held() const;
  size_t stored() const;

 private:
  struct Name {
    uint64_t first = 0;
    uint64_t second = 0;
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    size_t operator()(const Name& name) const { return name.first; }
  };
  struct WaiterHash {
    size_t operator()(const Waiter& waiter) const {
      return waiter.token * 0x9E3779B97F4A7C15 ^ reinterpret_cast<uintptr_t>(waiter.listener);
    }
  };
  struct Held {
    uint64_t content = 0;
    std::vector<Waiter> waiting = {};
  };

  State look(const Id& id, const Waiter& waiter);
  void end(const Waiter& owner, const metriclog::Delivery& delivery, Outcomes& outcomes);

  const HashKey name_key_;
  const HashKey second_name_key_;
  const HashKey content_key_;
  mutable std::mutex mutex_;  // guards the members below
  std::unordered_map<Name, Held, NameHash> held_;
  std::unordered_map<Waiter, Name, WaiterHash> owners_;  // of held batches
  StoredBatches stored_{kMostStored};
};

}  // namespace monitor::server
