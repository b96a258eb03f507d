// Driver: continues the rollout of one group. Each pass() reads what is stored, lets the machine decide, and does one
// thing. Several programs may call it at once: one of them drives, the others look on, and take over when it has been
// silent for kTurnNs. Every write is a compare-and-swap under the stored state as a guard, so that a program that was
// slow cannot undo what another one has decided.
//
// Not thread-safe; the references must outlive it. Calls block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/batch_store.h"
#include "config/rollout/machine.h"
#include "config/rollout/sight.h"

namespace monitor::config::rollout {

// Judges a step by data.
class Judge {
 public:
  virtual ~Judge() = default;
  // One verdict for each of rollout.judges. Without data, or with too little or too late data: undecided.
  virtual std::vector<Verdict> judge(const Rollout& rollout, const Sight& sight, int64_t now_ns) = 0;
};

struct DriverOptions {
  std::string name;                 // of this program: host:pid
  std::optional<int64_t> fresh_ns;  // files: a status that is older counts as absent
  Judge* judge = nullptr;           // nullptr: every judgement is undecided
};

// What a look showed, and whether more is to be done at once.
struct Passed {
  std::optional<Rollout> rollout;  // nothing: the group has never had one
  Sight sight;
  bool drives = false;  // this program drives it
  bool busy = false;    // pass() should be called again at once
};

class Driver {
 public:
  static constexpr int64_t kTurnNs = 15 * kNanosPerSecond;

  Driver(BatchStore& store, const Clock& clock, std::string group, DriverOptions options);

  // Errors of the store, and kInvalidArgument for a stored state that cannot be read. Another program that was faster
  // is no error.
  Result<Passed> pass();
  // Lets another program drive at once. For programs that end before the rollout does.
  void release();
  // Only looks.
  Result<Passed> see();

 private:
  struct Held {
    Stored stored;
    Rollout rollout;
  };
  Result<std::optional<Held>> read();
  Sight look_at(const Rollout& rollout);
  // Stores the state. False: another program was faster.
  Result<bool> store(Held& held, Rollout next);
  Result<bool> claim(Held& held);
  Status renew_lease(Rollout& next);
  Result<bool> act(Held& held, const Sight& sight, Act what);
  Result<bool> choose_agents(Held& held, const Sight& sight);
  Result<bool> write_batch(const Held& held, const std::vector<BatchWrite>& writes, int64_t lease);
  Result<bool> commit(const Held& held, const Sight& sight);
  Seen seen_of(const Rollout& rollout, const Sight& sight, int64_t now_ns);
  bool worth_storing(const Rollout& before, const Rollout& next, int64_t now_ns);
  int64_t life_ns(const Rollout& rollout) const;
  std::vector<Verdict> judge_now(const Rollout& rollout, const Sight& sight, int64_t now_ns);

  BatchStore& store_;
  const Clock& clock_;
  const std::string group_;
  const DriverOptions options_;
  LookCache cache_;
  StoredKeys keys_;
  int64_t stored_ns_ = 0;   // when this program stored the state last
  int64_t renewed_ns_ = 0;  // when it renewed the lease last
  int64_t judged_ns_ = 0;   // when it judged last
};

}  // namespace monitor::config::rollout
