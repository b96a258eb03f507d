// MemoryBatchStore: documents in memory with revisions and leases, on a fake clock, for tests of rollouts. It can end a
// program between any two of its calls (`calls_left`): a call then returns kCancelled, and does nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"
#include "config/batch_store.h"
#include "config/source.h"

namespace monitor::config::rollout {

class MemoryBatchStore final : public BatchStore, public ConfigStore {
 public:
  explicit MemoryBatchStore(FakeClock& clock) : clock_(clock) {}

  // --- For tests.
  std::optional<int64_t> calls_left;  // nothing: no limit
  bool lose_answers = false;          // the last call before the end is executed, and its answer is lost
  bool leases = true;
  size_t in_one = 7;  // writes of one transaction

  int64_t put(const std::string& key, const std::string& value, int64_t lease = 0) {
    keys_[key] = {{value, ++revision_}, lease};
    return revision_;
  }
  void remove(const std::string& key) { revision_ += static_cast<int64_t>(keys_.erase(key)); }
  std::map<std::string, Stored> all() {
    end_leases();
    std::map<std::string, Stored> result;
    for (const auto& [key, value] : keys_) result[key] = value.stored;
    return result;
  }
  // What an agent that watches these keys reads.
  KeySet read(const WatchSet& what) {
    end_leases();
    KeySet set;
    set.revision = revision_;
    const auto add = [&](const std::string& key, const Stored& stored) {
      set.entries[key] = {stored.value, std::nullopt, stored.revision};
    };
    for (const std::string& key : what.keys) {
      if (const auto found = keys_.find(key); found != keys_.end()) add(key, found->second.stored);
    }
    for (const std::string& prefix : what.prefixes) {
      for (auto at = keys_.lower_bound(prefix); at != keys_.end() && at->first.starts_with(prefix); ++at) {
        add(at->first, at->second.stored);
      }
    }
    return set;
  }
  std::optional<std::string> value(const std::string& key) {
    end_leases();
    const auto found = keys_.find(key);
    return found == keys_.end() ? std::nullopt : std::optional(found->second.stored.value);
  }
  int64_t revision() const { return revision_; }
  void end_lease(int64_t id) { leases_.erase(id); }

  // --- ConfigStore
  Result<std::optional<Stored>> get(const std::string& key) override {
    if (!may()) return ended();
    end_leases();
    const auto found = keys_.find(key);
    return found == keys_.end() ? std::optional<Stored>() : std::optional(found->second.stored);
  }
  Result<std::map<std::string, Stored>> list(const std::string& prefix) override {
    if (!may()) return ended();
    end_leases();
    std::map<std::string, Stored> result;
    for (auto at = keys_.lower_bound(prefix); at != keys_.end() && at->first.starts_with(prefix); ++at) {
      result[at->first] = at->second.stored;
    }
    return result;
  }
  Result<int64_t> update(const std::string& key, const Change& change) override {
    const auto current = get(key);
    if (!current) return current.error();
    const auto next = change(*current);
    if (!next) return next.error();
    return swap({key, *current, *next});
  }
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) override {
    const auto lease = grant(ns);
    if (!lease) return lease.error();
    return put(key, value, *lease);
  }
  std::string describe(const std::string& key) const override { return key; }

  // --- BatchStore
  ConfigStore& documents() override { return *this; }
  Result<int64_t> swap(const BatchWrite& write) override {
    const bool last = lose_answers && calls_left == 0;
    if (!last && !may()) return ended();
    end_leases();
    if (!same(write.key, write.expected)) return last ? ended() : Error(Code::kAborted, write.key + " was changed");
    apply(write, 0);
    if (last) return ended();
    return revision_;
  }
  Result<size_t> write_all(const std::string& guard, const Stored& guarded, const std::vector<BatchWrite>& writes,
                           int64_t lease) override {
    size_t written = 0;
    for (size_t i = 0; i < writes.size(); ++i) {
      if (i % in_one == 0 && !may()) return ended();
      end_leases();
      if (!same(guard, guarded)) return Error(Code::kAborted, guard + " was changed");
      if (lease != 0 && !leases_.contains(lease)) return Error(Code::kNotFound, "requested lease not found");
      if (!same(writes[i].key, writes[i].expected)) continue;
      apply(writes[i], lease);
      ++written;
    }
    return written;
  }
  bool has_leases() const override { return leases; }
  Result<int64_t> grant(int64_t ns) override {
    if (!may()) return ended();
    leases_[++last_lease_] = {clock_.wall_ns() + ns, ns};
    return last_lease_;
  }
  Result<bool> renew(int64_t lease) override {
    if (!may()) return ended();
    end_leases();
    const auto found = leases_.find(lease);
    if (found == leases_.end()) return false;
    found->second.until_ns = clock_.wall_ns() + found->second.ns;
    return true;
  }
  Status revoke(int64_t lease) override {
    leases_.erase(lease);
    end_leases();
    return {};
  }

 private:
  struct Kept {
    Stored stored;
    int64_t lease = 0;
  };
  struct Lease {
    int64_t until_ns = 0;
    int64_t ns = 0;
  };

  bool may() {
    if (!calls_left) return true;
    if (*calls_left <= 0) return false;
    --*calls_left;
    return true;
  }
  static Error ended() { return Error(Code::kCancelled, "the program has ended"); }
  bool same(const std::string& key, const std::optional<Stored>& expected) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return !expected;
    return expected && expected->revision == found->second.stored.revision;
  }
  void apply(const BatchWrite& write, int64_t lease) {
    ++revision_;
    if (write.next) {
      keys_[write.key] = {{*write.next, revision_}, lease};
    } else {
      keys_.erase(write.key);
    }
  }
  void end_leases() {
    const bool over = std::any_of(leases_.begin(), leases_.end(),
                                  [&](const auto& one) { return one.second.until_ns < clock_.wall_ns(); });
    if (!over && leases_.size() == known_leases_) return;
    std::erase_if(leases_, [&](const auto& one) { return one.second.until_ns < clock_.wall_ns(); });
    const auto gone = std::erase_if(
        keys_, [&](const auto& one) { return one.second.lease != 0 && !leases_.contains(one.second.lease); });
    if (gone > 0) ++revision_;
    known_leases_ = leases_.size();
  }

  FakeClock& clock_;
  std::map<std::string, Kept> keys_;
  std::map<int64_t, Lease> leases_;
  int64_t revision_ = 1;
  int64_t last_lease_ = 0;
  size_t known_leases_ = 0;  // leases whose keys are in order
};

}  // namespace monitor::config::rollout
