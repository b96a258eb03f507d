// Batches that the log has taken and not confirmed yet, and the last ones that it confirmed, over all loops. An agent
// that was restarted, or whose connection broke, sends again what was not acknowledged: the server answers for a batch
// that it holds instead of appending it a second time (docs/decisions/131-*.md).
//
// A batch is known by agent, incarnation, sequence, and by its content: another content under the same three is
// appended as any batch, and readers tell of it. Thread-safe. Bounded by what is in flight and kMostStored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "base/hash64.h"
#include "base/random.h"
#include "metriclog/log.h"
#include "metrics/decode.h"

namespace monitor::server {

class HeldBatches {
 public:
  static constexpr size_t kMostStored = 65'536;

  // Hashes under keys of this process: who cannot see them cannot make a batch pass for another.
  struct Id {
    uint64_t first = 0;
    uint64_t second = 0;
    uint64_t content = 0;
  };
  // Who is to be told what becomes of a batch, by which token.
  struct Waiter {
    metriclog::DeliveryListener* listener = nullptr;
    uint64_t token = 0;
    bool operator==(const Waiter&) const = default;
  };
  enum class State {
    kUnknown,  // append it
    kHeld,     // it is with the log; the waiter is told what becomes of it
    kStored,   // it is in the log
    kOther,    // another content is with the log, or in it, under this name: append it
  };
  using Outcomes = std::vector<std::pair<Waiter, metriclog::Delivery>>;

  explicit HeldBatches(Random& random);

  Id id_of(const metrics::BatchView& view, std::string_view batch) const;
  // What is known of it; when it is held, `waiter` waits for it.
  State join(const Id& id, const Waiter& waiter);
  // The same, before it is appended: when it is unknown, it is held from now on, for `waiter`.
  State hold(const Id& id, const Waiter& waiter);
  // The log did not take what `waiter` was about to append. Who waited for it has to send again.
  Outcomes release(const Waiter& waiter);
  // What became of batches that `listener` appended, and who else waits for that.
  Outcomes settle(metriclog::DeliveryListener* listener, std::span<const metriclog::Delivery> deliveries);
  // Nothing more is reported of what `listener` appended: who waits for it has to send again.
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
  struct Batch {
    uint64_t content = 0;
    bool stored = false;
    std::vector<Waiter> waiting = {};
  };

  State look(const Id& id, const Waiter& waiter);
  void end(const Waiter& owner, const metriclog::Delivery& delivery, Outcomes& outcomes);

  const HashKey name_key_;
  const HashKey second_name_key_;
  const HashKey content_key_;
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<Name, Batch, NameHash> batches_;
  std::unordered_map<Waiter, Name, WaiterHash> owners_;  // of those that are held
  Fifo<Name> stored_;                                    // in the order of their confirmation
};

}  // namespace monitor::server
