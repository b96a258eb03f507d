// The file spool on a real disk. The clock is simulated, so an agent's hour takes seconds; the disk calls are real. The
// batches are those of src/load/.
//
//   bench-spool append folder=DIR batches=N    appends a batch per second, and acknowledges each 5 ms later
//   bench-spool replay folder=DIR batches=N    sends and acknowledges a backlog from an earlier run
//   bench-spool fill folder=DIR mebibytes=N    creates a spool of that size, as a killed agent leaves it
//   bench-spool start folder=DIR mebibytes=N   starts on that spool
//
// Prints its results, one name=value per line.
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/testing/fake_clock.h"
#include "base/testing/manual_worker.h"
#include "floor/arguments.h"
#include "load/batches.h"
#include "spool/file_spool.h"

namespace monitor::bench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPoints = 8;     // per batch
constexpr size_t kBatches = 256;  // distinct batches
constexpr int64_t kTick = kNanosPerSecond;
constexpr int64_t kAnswer = 5 * kNanosPerMilli;

class NullListener final : public agent::SpoolListener {
 public:
  void on_stored(const agent::BatchInfo&) override {}
  void on_lost(const metrics::Drop& drop) override {
    lost += drop.batches;
    why = drop.reason;
  }
  void on_recovered(const agent::PendingReports&, const std::vector<agent::SettledSequences>&) override {}
  void on_log_named(std::string_view) override {}
  agent::PendingReports pending_reports() const override { return {}; }

  uint64_t lost = 0;
  std::string why;
};

int64_t clock_ns(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

std::vector<std::string> make_batches() {
  load::BatchMaker maker("bench", 1, {kPoints, 1});
  std::vector<std::string> batches;
  batches.reserve(kBatches);
  for (size_t i = 0; i < kBatches; ++i) batches.push_back(maker.next());
  return batches;
}

// The spool's part of one run of an agent.
class Run {
 public:
  Run(std::string folder, char name, uint64_t max_bytes) {
    options_.folder = std::move(folder);
    options_.incarnation = std::string(metrics::kIncarnationBytes, name);
    options_.max_bytes = max_bytes;
    spool_ = std::make_unique<agent::FileSpool>(disk_, timers_, worker_, null_listener_, options_);
  }
  bool open() {
    const Status opened = spool_->open();
    worker_.run_all();
    return opened.ok();
  }
  bool append(const std::string& batch) {
    agent::BatchInfo info{options_.incarnation, ++sequence_, 1, kPoints, now(), now(), now()};
    return spool_->append(std::move(info), batch).ok();
  }
  // Sends and acknowledges all batches that can be sent, and returns their number.
  uint64_t send() {
    std::vector<uint64_t> sent;
    while (const auto one = spool_->next()) sent.push_back(one->id);
    for (const uint64_t id : sent) spool_->acknowledged(id);
    return sent.size();
  }
  void pass(int64_t ns) {
    timers_.advance(ns);
    worker_.run_all();
  }
  agent::SpoolStats stats() const { return spool_->stats(); }
  const NullListener& null_listener() const { return null_listener_; }

 private:
  int64_t now() const { return timers_.clock().wall_ns(); }

  PosixDisk disk_;
  FakeTimers timers_;
  ManualWorker worker_;
  NullListener null_listener_;
  agent::FileSpoolOptions options_;
  std::unique_ptr<agent::FileSpool> spool_;
  uint64_t sequence_ = 0;
};

uint64_t bytes_in(const std::string& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".seg") bytes += entry.file_size();
  }
  return bytes;
}

void say(const char* name, double value) { std::printf("%s=%.3f\n", name, value); }

int fail(const char* what) {
  static_cast<void>(std::fprintf(stderr, "%s\n", what));
  return 1;
}

int append(const std::string& folder, uint64_t count) {
  const auto batches = make_batches();
  Run run(folder, 'a', agent::FileSpoolOptions::kDefaultMaxBytes);
  if (!run.open()) return fail("cannot open the folder");
  const agent::SpoolStats before = run.stats();
  const int64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (uint64_t i = 0; i < count; ++i) {
    if (!run.append(batches[i % kBatches])) return fail("cannot append a batch");
    run.pass(kAnswer);
    if (run.send() != 1) return fail("cannot send a batch");
    run.pass(kTick - kAnswer);
  }
  const int64_t took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
  say("us", static_cast<double>(took) / 1e3 / static_cast<double>(count));
  say("writes", static_cast<double>(run.stats().writes - before.writes));
  say("syncs", static_cast<double>(run.stats().syncs - before.syncs));
  return run.null_listener().lost == 0 ? 0 : fail("batches were lost");
}

bool fill(const std::string& folder, uint64_t count, uint64_t max_bytes) {
  const auto batches = make_batches();
  Run run(folder, 'b', max_bytes);
  if (!run.open()) return false;
  for (uint64_t i = 0; i < count; ++i) {
    if (!run.append(batches[i % kBatches])) return false;
    if (i % 1024 == 0) run.pass(kNanosPerMilli);
  }
  return run.null_listener().lost == 0;
}

int replay(const std::string& folder, uint64_t count) {
  if (!fill(folder, count, agent::FileSpoolOptions::kDefaultMaxBytes)) return fail("cannot fill the spool");
  say("bytes", static_cast<double>(bytes_in(folder)) / static_cast<double>(count));
  uint64_t payload = 0;
  for (const std::string& batch : make_batches()) payload += batch.size();
  say("payload", static_cast<double>(payload) / static_cast<double>(kBatches));
  Run run(folder, 'c', agent::FileSpoolOptions::kDefaultMaxBytes);
  if (!run.open()) return fail("cannot open the folder");
  const int64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (uint64_t sent = 0; sent < count;) {
    const uint64_t some = run.send();
    if (some == 0 && run.stats().segments == 0) return fail("got fewer batches back than were stored");
    sent += some;
    run.pass(kNanosPerMilli);
  }
  const int64_t took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
  say("us", static_cast<double>(took) / 1e3 / static_cast<double>(count));
  return run.null_listener().lost == 0 ? 0 : fail(run.null_listener().why.c_str());
}

constexpr uint64_t kRoom = 64;  // MiB of headroom, so that nothing is evicted

int fill_to(const std::string& folder, uint64_t mebibytes) {
  uint64_t size = 1;
  for (const std::string& batch : make_batches()) size += batch.size() + agent::kRecordHeaderBytes;
  const uint64_t count = (mebibytes << 20) * kBatches / size;
  return fill(folder, count, (mebibytes + kRoom) << 20) ? 0 : fail("cannot fill the spool");
}

// The peak memory of this process (proc_pid_status(5)). getrusage(2) would include the parent's.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

int start(const std::string& folder, uint64_t mebibytes) {
  const int64_t begin = clock_ns(CLOCK_MONOTONIC);
  Run run(folder, 'd', (mebibytes + kRoom) << 20);
  if (!run.open()) return fail("cannot open the folder");
  if ((run.send() == 0) != (mebibytes == 0)) return fail("the sent batches do not match the backlog");
  say("ms", static_cast<double>(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6);
  say("peak_mib", peak_mib());
  return 0;
}

int run(const Arguments& arguments) {
  const auto words = arguments.rest();
  const std::string mode = words.empty() ? "" : words[0];
  const std::string folder = arguments.text("folder");
  if (mode == "append") return append(folder, static_cast<uint64_t>(arguments.number("batches")));
  if (mode == "replay") return replay(folder, static_cast<uint64_t>(arguments.number("batches")));
  if (mode == "fill") return fill_to(folder, static_cast<uint64_t>(arguments.number("mebibytes")));
  if (mode == "start") return start(folder, static_cast<uint64_t>(arguments.number("mebibytes")));
  return fail("expected append, replay, fill or start");
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
