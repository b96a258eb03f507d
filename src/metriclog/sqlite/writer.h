// Writer: a bounded queue, and a thread that commits it. LogWriter (metriclog/log.h) says which calls are allowed on
// which thread. Listeners are called on the writer's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/disk.h"
#include "base/lock_file.h"
#include "base/trusted_clock.h"
#include "metriclog/heartbeat.h"
#include "metriclog/log.h"
#include "metriclog/sqlite/record_store.h"
#include "metriclog/sqlite/sqlite_log.h"

namespace monitor::metriclog::sqlite {

class Writer final : public LogWriter {
 public:
  Writer(const SqliteWriterOptions& options, const Clock& clock, LockFile lock, std::unique_ptr<RecordStore> store,
         Heartbeat heartbeat);
  // Commits the queue once and reports the outcomes.
  ~Writer() override;

  Accepted append(const RecordView& record, DeliveryListener& listener, uint64_t token) override;
  bool flush(int64_t timeout_ns) override;
  std::string trouble() const override;
  Status failure() const override;
  std::string identity() const override;

 private:
  struct Item {
    PendingRecord record = {};
    DeliveryListener* listener = nullptr;
    uint64_t token = 0;
    size_t bytes = 0;
  };
  using Batch = std::vector<Item>;

  void run();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  Batch take_batch();  // requires mutex_
  Status open_again();
  Status commit(Batch& batch);
  void settle(Batch& batch, const Status& status);
  void note(const Status& status);
  void expire();
  void beat(bool ended);
  int64_t patience() const;

  const SqliteWriterOptions options_;
  const Clock& clock_;
  LockFile lock_;

  // Used by the writer's thread only.
  PosixDisk disk_;
  TrustedClock trusted_;                // stored in PATH-clock
  std::unique_ptr<RecordStore> store_;  // nullptr: must be opened again
  int64_t next_expiry_ns_ = 0;          // monotonic, by clock_
  bool more_to_expire_ = false;
  Heartbeat heartbeat_;       // last heartbeat
  int64_t next_beat_ns_ = 0;  // monotonic, by clock_
  int64_t backoff_ns_ = 0;
  std::chrono::steady_clock::time_point not_before_;  // earliest time of the next commit

  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<Item> queue_;
  size_t open_records_ = 0;  // accepted and unreported
  size_t open_bytes_ = 0;
  bool stopping_ = false;
  std::string trouble_;
  std::string identity_;  // of the open file, or of the last one that was open
  std::optional<Error> failure_;

  std::thread thread_;  // last, because it uses the members above
};

}  // namespace monitor::metriclog::sqlite
