// MountProber: queries the usage of filesystems on its own threads, because any query can hang forever. Each thread
// queries through a separate process (probe_process.h), so that the agent can exit while a query hangs.
//
// The prober queries all mounts of a tick at once, and waits for them together, at most until a deadline. A mount that
// does not answer in time loses only its own value. It keeps its thread, and is not queried again until it answers;
// after a quarter of a second, no tick waits for it any more. The next tick uses a late answer if it is at most one
// interval old. Local disks and mounts that another process or host serves have separate pools of kMostThreads threads
// each, so that hung mounts of one kind do not block the other kind. Further mounts wait for a thread.
//
// ask() and stuck() must be called on one thread. A hung thread outlives the prober, and keeps alive what it uses.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "inputs/proc/mount_facts.h"
#include "inputs/tick_source.h"

namespace monitor::agent {

using ProbeMount = std::function<Result<MountFacts>(const Mount& mount, const MountOrigin& origin)>;

class MountProber {
 public:
  static constexpr int kMostThreads = 8;
  using Answer = std::optional<Result<MountFacts>>;

  MountProber(const Clock& clock, ProbeMount probe);
  ~MountProber();
  MountProber(const MountProber&) = delete;
  MountProber& operator=(const MountProber&) = delete;

  // Minimum of every deadline. For programs that read only once.
  void set_patience(int64_t ns) { patience_ = std::chrono::nanoseconds(ns); }

  struct Question {
    const Mount* mount = nullptr;
    bool remote = false;
  };
  // Returns one answer per question, in order; an answer is empty if the mount did not answer in time. Forgets mounts
  // that are not among the questions.
  std::vector<Answer> ask(const std::vector<Question>& questions, const MountOrigin& origin, int64_t deadline_ns);
  // Mounts of the last questions that have not answered for a while. Each is logged when it gets stuck and when it
  // answers again.
  const std::vector<StuckMount>& stuck() const { return stuck_; }

 private:
  struct Shared;
  struct Job;

  std::shared_ptr<Job> job_of(const Question& question, const MountOrigin& origin,
                              std::chrono::steady_clock::duration deadline, Answer& late);
  void forget_others();
  void tell();

  const Clock& clock_;
  std::shared_ptr<Shared> shared_;
  std::chrono::nanoseconds patience_{0};
  uint64_t round_ = 0;                      // of questions
  std::vector<std::shared_ptr<Job>> jobs_;  // for the last questions
  // During ask(): the jobs of the previous questions, by mount id.
  std::unordered_multimap<uint64_t, std::shared_ptr<Job>> last_jobs_;
  std::vector<StuckMount> stuck_;
};

}  // namespace monitor::agent
