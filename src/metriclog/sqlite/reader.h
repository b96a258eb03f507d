// Reader: reads the SQLite log, which has a single partition (0), from a file that another process writes. Not
// thread-safe, except wake() (metriclog/log.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metriclog/log.h"
#include "metriclog/sqlite/change_watch.h"
#include "metriclog/sqlite/group_member.h"
#include "metriclog/sqlite/schema.h"

namespace monitor::metriclog::sqlite {

class Reader final : public LogReader {
 public:
  Reader(std::string path, ReaderOptions options);

  Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) override;
  Status store(std::span<const Snapshot> snapshots) override;
  void wake() override { watch_.wake(); }
  std::string identity() const override { return log_id_.empty() ? "" : "sqlite:" + log_id_; }

 private:
  using Events = std::vector<ReaderEvent>;

  // One step: opens the log, activates the membership, assigns the partition, or reads. Transient errors become
  // kTrouble.
  Status advance(Events& events);
  Status open(Events& events);
  Status activate(Events& events);
  Result<int64_t> start_offset(const std::optional<Snapshot>& stored);
  Result<Extent> extent_from(int64_t next);
  Status read(Events& events);
  Status note_lost(Events& events, int64_t first_seen);
  // The log was replaced after it was read up to `from`: reads the new one from its start.
  Result<ReaderEvent> replaced(int64_t from, int64_t lost);
  void close(Events& events);
  void trouble(const Error& error, Events& events);
  int64_t patience() const;

  const std::string path_;
  const ReaderOptions options_;
  ChangeWatch watch_;

  std::optional<Database> db_;
  Statement select_;
  std::string log_id_;
  std::unique_ptr<GroupMember> member_;
  bool assigned_ = false;
  int64_t next_ = 0;             // valid while assigned_
  int64_t known_end_ = 0;        // known end of the log
  bool started_ = false;         // options_.start was used; it applies only to the first assignment
  bool waited_for_log_ = false;  // the log appeared after the reader had started, so it is read from its start
  bool lock_awaited_ = false;    // a lock file was just closed; its lock will be released in a moment
  std::string trouble_;          // already reported
};

}  // namespace monitor::metriclog::sqlite
