#include "inputs/proc/mount_prober.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/log.h"

namespace monitor::agent {

namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kStuckAfter = std::chrono::milliseconds(250);
constexpr auto kStallAtMost = std::chrono::milliseconds(5);
constexpr size_t kStackBytes = size_t{256} << 10;

}  // namespace

struct MountProber::Job {
  Mount mount;
  MountOrigin origin;
  bool remote = false;
  Steady::time_point asked;
  int64_t asked_wall_ns = 0;
  uint64_t round = 0;      // the last round that asked for it
  bool waited_for = true;  // false: no tick waits for it any more
  bool logged = false;     // that it is stuck was logged
  bool used = false;       // a tick has used its answer
  bool started = false;    // guarded by Shared's mutex, like the members below
  Steady::duration took{};
  Answer answer;
};

// State shared by the prober and its threads.
struct MountProber::Shared {
  struct Pool {
    std::deque<std::shared_ptr<Job>> waiting;
    int threads = 0;
    int idle = 0;
    Steady::time_point progress;  // when a thread of the pool last took a job
  };

  explicit Shared(ProbeMount call) : probe(std::move(call)) {}

  const ProbeMount probe;
  std::mutex mutex;  // guards the members below
  std::condition_variable work;
  std::condition_variable answered;
  std::array<Pool, 2> pools;
  bool closed = false;

  static void* run(void* argument);
  void serve(Pool& pool);
  // Adds a thread to a pool if jobs wait and no thread has taken one for `stall`.
  static void help(const std::shared_ptr<Shared>& self, size_t pool, Steady::duration stall);
};

namespace {

// The argument of a new thread: the state, which the thread keeps alive, and the pool that it serves.
template <typename S>
struct Start {
  std::shared_ptr<S> shared;
  size_t pool;
};

}  // namespace

void* MountProber::Shared::run(void* argument) {
  const std::unique_ptr<Start<Shared>> start(static_cast<Start<Shared>*>(argument));
  start->shared->serve(start->shared->pools.at(start->pool));
  return nullptr;
}

void MountProber::Shared::serve(Pool& pool) {
  std::unique_lock lock(mutex);
  while (!closed) {
    if (pool.waiting.empty()) {
      if (pool.idle > 0) break;  // one idle thread is enough until the next tick
      ++pool.idle;
      work.wait(lock, [&] { return closed || !pool.waiting.empty(); });
      --pool.idle;
      continue;
    }
    const std::shared_ptr<Job> job = pool.waiting.front();
    pool.waiting.pop_front();
    pool.progress = Steady::now();
    job->started = true;
    const auto begun = pool.progress;
    lock.unlock();
    auto answer = probe(job->mount, job->origin);
    lock.lock();
    job->took = Steady::now() - begun;
    job->answer = std::move(answer);
    if (pool.waiting.empty()) answered.notify_all();
  }
  --pool.threads;
}

void MountProber::Shared::help(const std::shared_ptr<Shared>& self, size_t index, Steady::duration stall) {
  Pool& pool = self->pools.at(index);
  if (pool.waiting.empty() || pool.idle > 0 || pool.threads >= kMostThreads) return;
  if (pool.threads > 0 && Steady::now() - pool.progress < stall) return;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  auto start = std::make_unique<Start<Shared>>(Start<Shared>{self, index});
  pthread_t thread{};
  if (pthread_create(&thread, &attributes, run, start.get()) == 0) {
    (void)start.release();  // run() has taken ownership
    ++pool.threads;
    pool.progress = Steady::now();
  }
  pthread_attr_destroy(&attributes);
}

MountProber::MountProber(const Clock& clock, ProbeMount probe)
    : clock_(clock), shared_(std::make_shared<Shared>(std::move(probe))) {}

MountProber::~MountProber() {
  const std::lock_guard lock(shared_->mutex);
  shared_->closed = true;
  shared_->work.notify_all();
}

// The job for a question: a pending one, or a new one. `late` receives the answer of a job from an earlier tick.
std::shared_ptr<MountProber::Job> MountProber::job_of(const Question& question, const MountOrigin& origin,
                                                      Steady::duration deadline, Answer& late) {
  const auto [first, last] = last_jobs_.equal_range(question.mount->id);
  const auto before = std::find_if(first, last, [&](const auto& one) { return one.second->mount == *question.mount; });
  bool slow = false;
  if (before != last) {
    Job& job = *before->second;
    if (!job.answer) {
      job.waited_for = Steady::now() - job.asked < std::max<Steady::duration>(kStuckAfter, patience_);
      job.round = round_;
      return before->second;
    }
    slow = job.took >= deadline;
    if (slow && !job.used) late = job.answer;
    if (job.logged) {
      log_info("mount answers again", {{"mount", job.mount.mount_point},
                                       {"type", job.mount.type},
                                       {"after_s", (clock_.wall_ns() - job.asked_wall_ns) / kNanosPerSecond}});
    }
  }
  auto job = std::make_shared<Job>();
  job->mount = *question.mount;
  job->origin = origin;
  job->remote = question.remote;
  job->asked = Steady::now();
  job->asked_wall_ns = clock_.wall_ns();
  job->waited_for = !slow;
  job->round = round_;
  shared_->pools.at(question.remote ? 1 : 0).waiting.push_back(job);
  return job;
}

// Removes queued jobs for which nobody asks any more.
void MountProber::forget_others() {
  for (const auto& [id, old] : last_jobs_) {
    if (old->round != round_ && !old->started) std::erase(shared_->pools.at(old->remote ? 1 : 0).waiting, old);
  }
  last_jobs_.clear();
}

std::vector<MountProber::Answer> MountProber::ask(const std::vector<Question>& questions, const MountOrigin& origin,
                                                  int64_t deadline_ns) {
  std::vector<Answer> late(questions.size());
  const Steady::duration deadline = std::max<Steady::duration>(std::chrono::nanoseconds(deadline_ns), patience_);
  const auto end = Steady::now() + deadline;
  const Steady::duration stall = std::min<Steady::duration>(kStallAtMost, deadline / 8);
  std::unique_lock lock(shared_->mutex);
  ++round_;
  for (auto& job : jobs_) last_jobs_.emplace(job->mount.id, std::move(job));
  jobs_.clear();
  for (size_t i = 0; i < questions.size(); ++i) jobs_.push_back(job_of(questions[i], origin, deadline, late[i]));
  forget_others();
  shared_->work.notify_all();
  const auto complete = [this] {
    return std::ranges::all_of(jobs_, [](const auto& job) { return job->answer || !job->waited_for; });
  };
  while (true) {
    for (size_t pool = 0; pool < shared_->pools.size(); ++pool) Shared::help(shared_, pool, stall);
    if (complete() || Steady::now() >= end) break;
    shared_->answered.wait_until(lock, std::min(end, Steady::now() + stall), complete);
  }
  std::vector<Answer> answers;
  for (size_t i = 0; i < questions.size(); ++i) {
    Job& job = *jobs_[i];
    answers.push_back(job.answer ? job.answer : std::move(late[i]));
    job.used = job.answer.has_value();
  }
  tell();
  return answers;
}

void MountProber::tell() {
  stuck_.clear();
  const auto now = Steady::now();
  for (const auto& job : jobs_) {
    if (job->answer || now - job->asked < kStuckAfter) continue;
    stuck_.push_back({job->mount.mount_point, job->mount.type, job->mount.source, job->asked_wall_ns});
    if (std::exchange(job->logged, true)) continue;
    log_warning(job->started ? "mount does not answer; its figures are omitted until it does"
                             : "mount is not queried: too many others do not answer",
                {{"mount", job->mount.mount_point}, {"type", job->mount.type}, {"source", job->mount.source}});
  }
}

}  // namespace monitor::agent
