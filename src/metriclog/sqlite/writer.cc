#include "metriclog/sqlite/writer.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/trust.h"

namespace monitor::metriclog::sqlite {

namespace {

constexpr size_t kMaxBatchRecords = 4096;
constexpr size_t kMaxBatchBytes = 8U << 20;
constexpr int64_t kExpireAtOnce = 1000;  // records; more would delay the deliveries behind them
constexpr int64_t kMaxExpiryEvery = 60 * kNanosPerSecond;
constexpr int64_t kExpireAgain = 100 * kNanosPerMilli;  // if there was more to expire
constexpr int64_t kMinBackoff = 50 * kNanosPerMilli;
constexpr int64_t kMaxBackoff = 1 * kNanosPerSecond;

std::string headers_json(const RecordView& record) {
  std::string text = "{";
  for (const auto& [name, value] : record.headers) {
    if (text.size() > 1) text += ',';
    text += json_quote(name);
    text += ':';
    text += json_quote(value);
  }
  return text + "}";
}

}  // namespace

Writer::Writer(const SqliteWriterOptions& options, const Clock& clock, LockFile lock,
               std::unique_ptr<RecordStore> store, Heartbeat heartbeat)
    : options_(options),
      clock_(clock),
      lock_(std::move(lock)),
      trusted_(clock, {.confirm_ns = TrustedClock::confirm_for(options.retention_ns),
                       .start = options.clock_start,
                       .file = options.path + "-clock",
                       .disk = &disk_}),
      store_(std::move(store)),
      heartbeat_(std::move(heartbeat)),
      next_beat_ns_(clock.mono_ns() + Heartbeat::kEvery),
      identity_(store_->identity()),
      thread_([this] { run(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

LogWriter::Accepted Writer::append(const RecordView& record, DeliveryListener& listener, uint64_t token) {
  Item item{.listener = &listener, .token = token};
  item.bytes = record.key.size() + record.value.size() + sizeof(Item);
  if (record.value.size() > options_.max_record_bytes) {
    item.record.rejection = "too_large: record of " + std::to_string(record.value.size()) +
                            " bytes, the log takes up to " + std::to_string(options_.max_record_bytes);
  }
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || open_records_ >= options_.max_queue_records) return Accepted::kFull;
    // A single record is always accepted, whatever its size; otherwise it would be refused forever.
    if (open_records_ > 0 && open_bytes_ + item.bytes > options_.max_queue_bytes) return Accepted::kFull;
    ++open_records_;
    open_bytes_ += item.bytes;
  }
  // The copies are made without the lock, because loops must not wait for one another's allocations.
  if (item.record.rejection.empty()) {
    item.record.key = record.key;
    item.record.headers = headers_json(record);
    item.record.value = record.value;
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(item));
    wake = queue_.size() == 1 || queue_.size() == kMaxBatchRecords;
  }
  if (wake) work_.notify_one();
  return Accepted::kYes;
}

bool Writer::flush(int64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [this] { return open_records_ == 0; });
}

std::string Writer::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

Status Writer::failure() const {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

void Writer::run() {
  std::unique_lock lock(mutex_);
  while (wait_for_work(lock)) {
    Batch batch = take_batch();
    lock.unlock();
    const Status status = commit(batch);
    note(status);
    settle(batch, status);
    if (status.ok()) {
      expire();
      beat(false);
    }
    lock.lock();
  }
  lock.unlock();
  beat(true);
}

// Returns false if the writer must stop and nothing is queued. Commits keep a minimum distance, so that a busy log
// makes few large ones; after a failure the distance is larger.
bool Writer::wait_for_work(std::unique_lock<std::mutex>& lock) {
  while (queue_.empty() && !stopping_) {
    if (work_.wait_for(lock, std::chrono::nanoseconds(patience())) == std::cv_status::timeout && queue_.empty()) {
      lock.unlock();
      expire();
      beat(false);
      lock.lock();
    }
  }
  work_.wait_until(lock, not_before_,
                   [this] { return stopping_ || (backoff_ns_ == 0 && queue_.size() >= kMaxBatchRecords); });
  return !queue_.empty();
}

int64_t Writer::patience() const {
  const int64_t expiry = more_to_expire_ ? kExpireAgain : kMaxExpiryEvery;
  return std::clamp(next_beat_ns_ - clock_.mono_ns(), kExpireAgain, expiry);
}

Writer::Batch Writer::take_batch() {
  Batch batch;
  size_t bytes = 0;
  while (!queue_.empty() && batch.size() < kMaxBatchRecords && bytes < kMaxBatchBytes) {
    bytes += queue_.front().bytes;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

Status Writer::open_again() {
  if (store_) return {};
  auto opened = RecordStore::open(options_.path, options_.vfs);
  if (!opened) return opened.error();
  if (auto status = (*opened)->begin_wal_anew(); !status) return status;
  store_ = std::move(*opened);
  const std::lock_guard lock(mutex_);
  identity_ = store_->identity();
  return {};
}

std::string Writer::identity() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

Status Writer::commit(Batch& batch) {
  if (auto status = open_again(); !status) return status;
  std::vector<PendingRecord*> records;
  records.reserve(batch.size());
  for (Item& item : batch) {
    if (item.record.rejection.empty()) records.push_back(&item.record);
  }
  if (records.empty()) return {};
  if (auto status = store_->append(records, clock_.wall_ns()); !status) {
    // A connection that had an I/O error is not used again, because its memory may differ from the disk.
    store_.reset();
    return status;
  }
  if (store_->moved()) {
    store_.reset();
    return Error(Code::kUnavailable, "log " + options_.path + " was removed or replaced while it was written; " +
                                         "it is opened again, and agents send again");
  }
  lock_.touch();
  return {};
}

void Writer::note(const Status& status) {
  backoff_ns_ = status ? 0 : std::clamp(backoff_ns_ * 2, kMinBackoff, kMaxBackoff);
  not_before_ =
      std::chrono::steady_clock::now() + std::chrono::nanoseconds(status ? options_.commit_every_ns : backoff_ns_);
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(trouble_, status ? std::string() : status.error().message());
    if (!status && status.error().code() == Code::kDataLoss) failure_ = status.error();
  }
  if (!status) {
    log_warning("log does not accept records", {{"error", status.error()}});
  } else if (!before.empty()) {
    log_info("log accepts records again", {{"path", options_.path}});
  }
}

void Writer::settle(Batch& batch, const Status& status) {
  std::map<DeliveryListener*, std::vector<Delivery>> reports;
  size_t bytes = 0;
  for (Item& item : batch) {
    bytes += item.bytes;
    Delivery delivery{.token = item.token, .outcome = Outcome::kStored, .reason = {}};
    if (!item.record.rejection.empty()) {
      delivery.outcome = Outcome::kRejected;
      delivery.reason = std::move(item.record.rejection);
    } else if (!status) {
      delivery.outcome = Outcome::kRetry;
      delivery.reason = status.error().message();
    }
    reports[item.listener].push_back(std::move(delivery));
  }
  for (const auto& [listener, deliveries] : reports) listener->on_delivered(deliveries);
  const std::lock_guard lock(mutex_);
  open_records_ -= batch.size();
  open_bytes_ -= bytes;
  if (open_records_ == 0) idle_.notify_all();
}

// A heartbeat that cannot be stored shows that the log accepts nothing, even if no agent sends a record.
void Writer::beat(bool ended) {
  if (!ended && clock_.mono_ns() < next_beat_ns_) return;
  next_beat_ns_ = clock_.mono_ns() + Heartbeat::kEvery;
  if (ended && !store_) return;
  ++heartbeat_.count;
  heartbeat_.time_ns = clock_.wall_ns();
  heartbeat_.ended = ended;
  Status status = open_again();
  if (status && store_->moved()) {
    status = Error(Code::kUnavailable, "log " + options_.path + " was removed or replaced; it is opened again");
  }
  if (status) status = store_->beat(heartbeat_);
  if (!status) store_.reset();
  note(status);
}

void Writer::expire() {
  if (options_.retention_ns <= 0 || !store_ || clock_.mono_ns() < next_expiry_ns_) return;
  const auto expired = store_->expire(trusted_.now_ns() - options_.retention_ns, kExpireAtOnce);
  Status status = expired ? store_->shrink() : Status(expired.error());
  if (!status) {
    store_.reset();
    note(status);
  }
  more_to_expire_ = expired && *expired == kExpireAtOnce;
  if (!more_to_expire_) next_expiry_ns_ = clock_.mono_ns() + std::min(kMaxExpiryEvery, options_.retention_ns / 10);
}

}  // namespace monitor::metriclog::sqlite

namespace monitor::metriclog {

Result<std::unique_ptr<LogWriter>> open_sqlite_writer(const SqliteWriterOptions& options, const Clock& clock) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path folder = fs::path(options.path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, failed);
  if (failed) {
    const Error error = errno_error(failed.value(), "log " + options.path + ": creating its folder");
    return Error(error.code(), error.message() + "; choose another one with --data, or another log with --log");
  }
  const std::string where = folder.empty() ? "." : folder.string();
  if (auto trusted = check_folder_trusted(where, "the folder of the log"); !trusted) {
    return Error(trusted.error().code(), "log " + options.path + " cannot be written: " + trusted.error().message());
  }
  auto lock = LockFile::open(options.path + "-writer");
  if (!lock) {
    return Error(lock.error().code(), "log " + options.path + " cannot be written: " + lock.error().message() +
                                          "; give this user write permission, or choose another log with --log");
  }
  if (!lock->try_lock("process " + std::to_string(getpid()) + " (" + options.program + ")")) {
    return Error(Code::kAborted, "log " + options.path + " is being written by " + lock->owner() +
                                     "; stop that process, or choose another log with --log");
  }
  auto store = sqlite::RecordStore::open(options.path, options.vfs);
  if (!store) return store.error();
  Heartbeat heartbeat = new_heartbeat(options.program, options.host);
  heartbeat.count = 1;
  heartbeat.time_ns = clock.wall_ns();
  // Failing to store the first heartbeat is not an error: the log is written once the disk allows it.
  if (const Status left = (*store)->beat(heartbeat); !left) {
    log_debug("storing a heartbeat in the log failed", {{"reason", left.error()}});
  }
  return std::unique_ptr<LogWriter>(
      new sqlite::Writer(options, clock, std::move(*lock), std::move(*store), std::move(heartbeat)));
}

}  // namespace monitor::metriclog
