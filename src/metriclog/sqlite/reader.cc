#include "metriclog/sqlite/reader.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "metriclog/sqlite/record_rows.h"
#include "metriclog/sqlite/schema.h"
#include "metriclog/sqlite/sqlite_log.h"

namespace monitor::metriclog::sqlite {

namespace {

constexpr int64_t kMaxRecordsPerPoll = 500;
constexpr size_t kMaxBytesPerPoll = 4U << 20;
// inotify may miss a change, so the reader also checks after this time.
constexpr int64_t kLookAgain = 1 * kNanosPerSecond;
constexpr int64_t kLookForLog = 200 * kNanosPerMilli;
constexpr int64_t kLookForLock = 5 * kNanosPerMilli;

// True for an error that may go away by itself; the reader then keeps trying.
bool passes(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kResourceExhausted ||
         error.code() == Code::kNotFound;
}

}  // namespace

Reader::Reader(std::string path, ReaderOptions options)
    : path_(std::move(path)), options_(std::move(options)), watch_(path_) {}

Result<std::vector<ReaderEvent>> Reader::poll(int64_t timeout_ns) {
  const SystemClock clock;
  const int64_t end = clock.mono_ns() + std::max<int64_t>(timeout_ns, 0);
  Events events;
  while (true) {
    if (auto status = advance(events); !status) {
      if (!passes(status.error()) && events.empty()) return status.error();
      // Events before a final error are returned first; the next call meets the error again.
      if (passes(status.error())) trouble(status.error(), events);
    }
    const int64_t left = end - clock.mono_ns();
    if (!events.empty() || left <= 0) return events;
    const auto why = watch_.wait(std::min(left, patience()));
    if (why == ChangeWatch::Why::kWoken) return events;
    // The kernel reports a closed lock file before it releases the lock.
    lock_awaited_ = why == ChangeWatch::Why::kChange && member_ && !member_->active();
  }
}

int64_t Reader::patience() const {
  if (!db_) return kLookForLog;
  return lock_awaited_ ? kLookForLock : kLookAgain;
}

Status Reader::advance(Events& events) {
  if (db_ && db_->moved()) close(events);
  if (!db_) {
    if (auto status = open(events); !status) return status;
  }
  if (!assigned_) {
    if (auto status = activate(events); !status) return status;
  }
  if (assigned_) {
    if (auto status = read(events); !status) return status;
  }
  const bool tells = std::ranges::any_of(events, [](const ReaderEvent& event) {
    return event.kind == ReaderEvent::Kind::kAssigned || event.kind == ReaderEvent::Kind::kRecords;
  });
  const bool was_away = !std::exchange(trouble_, {}).empty();
  if (was_away && !tells) events.push_back({.kind = ReaderEvent::Kind::kRecovered});
  return {};
}

Status Reader::open(Events& events) {
  auto db = open_for_reading(path_);
  if (!db) {
    if (db.error().code() == Code::kNotFound) waited_for_log_ = true;
    return db.error();
  }
  const auto identity = read_identity(*db);
  if (!identity) return identity.error();
  auto select = db->prepare(kSelectRecords);
  if (!select) return select.error();
  const bool another = !log_id_.empty() && log_id_ != identity->log_id && assigned_;
  if (assigned_ && !another) {
    // If an older copy of the same log was restored, its new records have offsets that were read before.
    const auto end = end_offset(*db);
    if (!end) return end.error();
    next_ = std::min(next_, *end);
  }
  log_id_ = identity->log_id;
  select_ = std::move(*select);
  db_ = std::move(*db);
  if (!another) return {};
  auto event = replaced(next_, std::max<int64_t>(known_end_ - next_, 0));
  if (!event) return event.error();
  next_ = event->to;
  events.push_back(std::move(*event));
  return {};
}

Result<ReaderEvent> Reader::replaced(int64_t from, int64_t lost) {
  const auto begin = first_offset(*db_);
  if (!begin) return begin.error();
  const auto extent = extent_from(*begin);
  if (!extent) return extent.error();
  known_end_ = extent->end;
  ReaderEvent event{.kind = ReaderEvent::Kind::kReplaced, .partition = 0, .from = from, .to = *begin};
  event.lost = lost;
  event.extents.push_back(*extent);
  return event;
}

void Reader::close(Events& events) {
  trouble(Error(Code::kUnavailable, "log " + path_ + " was removed or replaced; waiting for the new one"), events);
}

Status Reader::activate(Events& events) {
  Snapshot snapshot{.partition = 0, .next_offset = -1};
  std::optional<Snapshot> stored;
  if (!options_.group.empty()) {
    if (!member_) {
      auto member = GroupMember::join(path_, options_.group);
      if (!member) return member.error();
      member_ = std::move(*member);
    }
    if (!member_->try_activate()) return {};
    auto loaded = member_->load();
    if (!loaded) return loaded.error();
    stored = std::move(*loaded);
  } else if (options_.snapshots != nullptr) {
    auto loaded = options_.snapshots->load(log_id_);
    if (!loaded) return loaded.error();
    for (Snapshot& one : *loaded) {
      if (one.partition == 0) stored = std::move(one);
    }
  }
  const bool by_store = stored && (started_ || options_.start.kind == StartAt::Kind::kStored);
  std::optional<ReaderEvent> anew;
  if (by_store && !stored->identity.empty() && stored->identity != log_id_) {
    auto event = replaced(stored->next_offset, 0);
    if (!event) return event.error();
    stored->next_offset = event->to;
    anew = std::move(*event);
  }
  const auto start = start_offset(stored);
  if (!start) return start.error();
  if (by_store) {
    snapshot = std::move(*stored);
  } else if (member_ && options_.start.kind == StartAt::Kind::kStored) {
    // Stored at once, so that another member that takes over before the first store misses nothing.
    if (auto status = member_->store(log_id_, {.next_offset = *start}); !status) return status;
  }
  const auto extent = extent_from(*start);
  if (!extent) return extent.error();
  next_ = *start;
  assigned_ = started_ = true;
  events.push_back({.kind = ReaderEvent::Kind::kAssigned, .assigned = {std::move(snapshot)}, .extents = {*extent}});
  if (anew) events.push_back(std::move(*anew));
  return {};
}

Result<Extent> Reader::extent_from(int64_t next) {
  const auto end = end_offset(*db_);
  if (!end) return end.error();
  const auto begin = first_offset(*db_);
  if (!begin) return begin.error();
  constexpr int64_t kFirstOffset = 1;
  return Extent{*begin, std::max(next, *begin), *end, *begin > kFirstOffset};
}

Result<int64_t> Reader::start_offset(const std::optional<Snapshot>& stored) {
  const StartAt start = started_ ? StartAt() : options_.start;
  switch (start.kind) {
    case StartAt::Kind::kEarliest:
      return first_offset(*db_);
    case StartAt::Kind::kTime:
      return first_since(*db_, start.time_ns);
    case StartAt::Kind::kStored:
      if (stored) break;
      [[fallthrough]];
    case StartAt::Kind::kLatest:
      if (waited_for_log_) return int64_t{1};
      if (start.kind == StartAt::Kind::kStored && options_.new_group_at_earliest) return first_offset(*db_);
      break;
  }
  auto end = end_offset(*db_);
  if (!end || !stored || start.kind != StartAt::Kind::kStored) return end;
  return std::min(stored->next_offset, *end);
}

Status Reader::read(Events& events) {
  ReaderEvent event{.kind = ReaderEvent::Kind::kRecords};
  size_t bytes = 0;
  {
    const ResetLater reset(select_);
    select_.bind(1, next_);
    select_.bind(2, kMaxRecordsPerPoll);
    int rc = select_.step();
    for (; rc == SQLITE_ROW && bytes < kMaxBytesPerPoll; rc = select_.step()) {
      Record record = record_of(select_);
      bytes += record.value.size() + record.key.size() + sizeof(Record);
      event.records.push_back(std::move(record));
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
      const Error error = db_->error(rc, "reading from offset " + std::to_string(next_) + " of");
      // Records before the damage are returned first.
      if (event.records.empty()) return error;
    }
  }
  if (auto status = note_lost(events, event.records.empty() ? -1 : event.records.front().offset); !status) {
    return status;
  }
  if (event.records.empty()) return {};
  next_ = event.records.back().offset + 1;
  if (event.records.size() == static_cast<size_t>(kMaxRecordsPerPoll)) {
    // There are more records. If the log is removed before they are read, this end shows how many are lost.
    if (const auto end = end_offset(*db_)) known_end_ = *end;
  }
  events.push_back(std::move(event));
  return {};
}

// Offsets have no gaps, except the one that retention makes at the start.
Status Reader::note_lost(Events& events, int64_t first_seen) {
  if (first_seen == next_) return {};
  if (first_seen < 0) {
    // There is nothing at or after next_: either nothing is new, or retention has deleted everything.
    const auto end = end_offset(*db_);
    if (!end) return end.error();
    if (*end <= next_) return {};
    const auto left = db_->integer("SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)");
    if (!left) return left.error();
    if (*left > 0) return {};  // appended after the read above; the next read returns it
    first_seen = *end;
  }
  if (next_ > 0) {
    events.push_back({.kind = ReaderEvent::Kind::kLost, .partition = 0, .from = next_, .to = first_seen});
  }
  next_ = first_seen;
  return {};
}

Status Reader::store(std::span<const Snapshot> snapshots) {
  if (options_.snapshots != nullptr && assigned_) return options_.snapshots->store(log_id_, snapshots);
  if (!member_ || !member_->active() || !assigned_) return {};
  for (const Snapshot& snapshot : snapshots) {
    if (snapshot.partition != 0) continue;
    if (auto status = member_->store(log_id_, snapshot); !status) return status;
  }
  return {};
}

void Reader::trouble(const Error& error, Events& events) {
  select_ = Statement();
  db_.reset();
  if (trouble_ == error.message()) return;
  trouble_ = error.message();
  events.push_back({.kind = ReaderEvent::Kind::kTrouble, .text = error.message()});
}

}  // namespace monitor::metriclog::sqlite

namespace monitor::metriclog {

Result<std::unique_ptr<LogReader>> open_sqlite_reader(const std::string& path, const ReaderOptions& options) {
  if (path.empty()) return Error(Code::kInvalidArgument, "log: got an empty path, expected sqlite:PATH");
  // Groups write next to the log. A folder that does not exist yet is checked once it does.
  if (!options.group.empty()) {
    if (auto trusted = sqlite::GroupMember::check_folder(path); !trusted && trusted.error().code() != Code::kNotFound) {
      return trusted.error().with_context("joining group " + options.group);
    }
  }
  return std::unique_ptr<LogReader>(new sqlite::Reader(path, options));
}

}  // namespace monitor::metriclog
