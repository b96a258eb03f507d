// Asks filesystems how full they are, on threads of its own, since any of them can hang for ever. (So that the process
// can end while one does, each thread asks through a process of its own: probe_process.h.)
//
// All mounts of a tick are asked at once and waited for together, for at most a deadline. One that does not answer in
// time costs nothing but its own value: its thread is left to it, it is not asked again until it has answered, and
// after a quarter of a second nobody waits for it. What answers late is taken at the next tick, when it is at most one
// interval old. Threads are bounded (kMostThreads each) for disks, and for what another process or host answers:
// however many of the one kind hang, the other is asked. Mounts beyond the bound wait for a thread.
//
// ask() and stuck() belong to one thread. A thread that hangs outlives the prober, with all that it touches.
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

  // For whoever asks once: every deadline is at least so long.
  void set_patience(int64_t ns) { patience_ = std::chrono::nanoseconds(ns); }

  struct Question {
    const Mount* mount = nullptr;
    bool remote = false;
  };
  // An answer for every question, in their order; nothing for those that did not answer. What is no longer asked for
  // is forgotten.
  std::vector<Answer> ask(const std::vector<Question>& questions, const MountOrigin& origin, int64_t deadline_ns);
  // Of the last questions: those that have not answered for a while. Each is logged when it appears and when it
  // answers.
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
  std::vector<std::shared_ptr<Job>> jobs_;  // of the last questions
  // While asking: of those before, by the mount's number.
  std::unordered_multimap<uint64_t, std::shared_ptr<Job>> last_jobs_;
  std::vector<StuckMount> stuck_;
};

}  // namespace monitor::agent
