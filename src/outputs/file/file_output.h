// FileOutput: writes batches as JSON lines to a rotating file, one line per tick, in the form of `monitor-analysis
// get-metrics --format json` (docs/payload.md).
//
// A batch counts as delivered once its lines are synced. While the disk is full or fails, batches wait in the spool,
// and the write is retried with jittered backoff. A batch without ticks (a heartbeat) has no line. A batch that cannot
// be decoded has no JSON form: it is rejected, and the drop record has the stage `uplink` and the reason `invalid`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/net/backoff.h"
#include "base/worker.h"
#include "outputs/file/rotating_file.h"
#include "outputs/output.h"
#include "stream/batch_source.h"

namespace monitor::agent {

class FileOutput final : public Output {
 public:
  // `file` must be opened before start(). From then on the worker's jobs use it, even after the output is destroyed, so
  // its disk must outlive them. Everything else must outlive the output.
  FileOutput(std::shared_ptr<RotatingFile> file, Timers& timers, Worker& worker, Random& random,
             stream::BatchSource& source, std::string agent_id);
  ~FileOutput() override;

  void start() override { pump(); }
  void wake() override { pump(); }
  void drain(std::function<void()> done) override;
  // `warning`: the file cannot be written.
  OutputState state() const override;
  std::vector<OutputMetric> metrics() const override;
  void set_on_warning(std::function<void()> call) override { on_warning_ = std::move(call); }

 private:
  struct Taken {
    uint64_t id = 0;
    std::string bytes;
    Status readable;  // set by the worker
  };
  // The batches that the worker writes with a single sync.
  struct Job {
    std::vector<Taken> batches;
    Status written;
    uint64_t ticks = 0;
    uint64_t bytes = 0;
    uint64_t rotations = 0;  // of the file, in total

    void run(RotatingFile& file, const std::string& agent_id);
  };

  void pump();
  void finished(const Job& job);
  void succeeded(const Job& job);
  void failed(const Job& job);
  void give_back(const Job& job);
  void maybe_drained();

  Timers& timers_;
  Worker& worker_;
  stream::BatchSource& source_;
  const std::string agent_id_;
  Backoff backoff_;
  std::shared_ptr<RotatingFile> file_;
  std::shared_ptr<Job> job_;  // the running job; nullptr: none
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timers::TimerId retry_timer_ = 0;
  std::function<void()> drained_;
  std::function<void()> on_warning_;

  std::string problem_;  // error of the last write; empty: it succeeded
  uint64_t ticks_ = 0;
  uint64_t bytes_ = 0;
  uint64_t rotations_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace monitor::agent
