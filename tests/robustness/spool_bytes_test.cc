// Spools of 256 KiB in total, truncated at every byte and with every byte changed: no acknowledged batch returns, no
// intact batch is lost, every loss is reported, and nothing crashes.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"
#include "spool/testing/spool_world.h"

namespace monitor::agent {
namespace {

// Sanitizers are slow, so they only get a sample.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kStep = 101;
#else
constexpr uint64_t kStep = 1;
#endif
constexpr size_t kBatches = 23;

struct Record {
  uint64_t sequence = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
};

enum class Exit { kClean, kKilled };

class SpoolBytes : public ::testing::TestWithParam<std::pair<int, Exit>> {
 protected:
  SpoolBytes() {
    log_configure(LogLevel::kOff, LogFormat::kText);
    EXPECT_TRUE(w_.start());
    const auto [seed, ended] = GetParam();
    for (size_t i = 0; i < kBatches; ++i) {
      w_.append(2'000 + (i + static_cast<size_t>(seed)) * 211 % 1'900);
      const auto sent = w_.send();
      if (acknowledged(sent->key.second)) w_.spool->acknowledged(sent->id);
    }
    w_.pass(6 * kNanosPerSecond);
    if (ended == Exit::kClean) {
      w_.stop();  // seals the segment
    } else {
      w_.kill();
    }
    for (const auto& [path, content] : w_.disk.contents()) {
      if (path.ends_with(".seg")) segments_[path] = content;
    }
    for (const auto& [path, content] : segments_) find_records(path);
    w_.settle_at_once = false;  // a start writes nothing, so the files do not change
  }
  ~SpoolBytes() override { log_configure(LogLevel::kInfo, LogFormat::kText); }

  static bool acknowledged(uint64_t sequence) { return sequence % 3 == 0; }

  void find_records(const std::string& path) {
    const std::string& content = segments_[path];
    const uint64_t number = *parse_segment_name(path.substr(path.rfind('/') + 1));
    for (uint64_t at = kSegmentHeaderBytes; at < content.size();) {
      const auto header = parse_record_header(std::string_view(content).substr(at), number);
      ASSERT_TRUE(header);
      if (header->kind == RecordKind::kBatch) {
        records_[path].push_back({header->sequence, at, at + header->record_bytes()});
      }
      at += header->record_bytes();
    }
  }

  // Starts on the damaged files and takes all batches.
  void start_and_drain() {
    EXPECT_TRUE(w_.start());
    got_.clear();
    for (const Key& key : w_.drain()) EXPECT_TRUE(got_.insert(key.second).second) << "twice";
    EXPECT_FALSE(w_.spool->has_unsent());
  }

  // Every batch is returned, or reported as lost once, or was acknowledged.
  void expect_ledger() {
    const std::string who = incarnation(1);
    for (uint64_t sequence = 1; sequence <= kBatches; ++sequence) {
      const size_t lost = w_.teller->lost({who, sequence});
      const size_t seen = got_.count(sequence) + lost;
      EXPECT_EQ(seen, acknowledged(sequence) ? 0U : 1U) << "sequence " << sequence << " lost " << lost;
    }
  }

  void expect_intact(const std::string& path, uint64_t from, uint64_t to) {
    for (const auto& [other, records] : records_) {
      for (const Record& record : records) {
        const bool touched = other == path && record.begin < to && from < record.end;
        if (!touched && !acknowledged(record.sequence)) {
          EXPECT_TRUE(got_.contains(record.sequence)) << record.sequence;
        }
      }
    }
  }

  SpoolWorld w_;
  std::map<std::string, std::string> segments_;
  std::map<std::string, std::vector<Record>> records_;
  std::set<uint64_t> got_;
};

TEST_P(SpoolBytes, HasAtLeast64KiB) {
  size_t bytes = 0;
  for (const auto& [path, content] : segments_) bytes += content.size();
  EXPECT_GE(bytes, size_t{64} * 1024) << "four spools make 256 KiB";
  start_and_drain();
  expect_ledger();
  expect_intact("", 0, 0);
  EXPECT_EQ(got_.size(), kBatches - kBatches / 3);
}

TEST_P(SpoolBytes, SurvivesTruncationAtEveryByte) {
  for (const auto& [path, content] : segments_) {
    for (uint64_t size = 0; size < content.size(); size += kStep) {
      w_.disk.put(path, content.substr(0, size));
      start_and_drain();
      expect_ledger();
      expect_intact(path, size, content.size());
      w_.kill();
      if (HasFailure()) FAIL() << path << " cut at " << size;
    }
    w_.disk.put(path, content);
  }
}

TEST_P(SpoolBytes, SurvivesAChangeOfEveryByte) {
  for (const auto& [path, content] : segments_) {
    std::string changed = content;
    for (uint64_t at = 0; at < content.size(); at += kStep) {
      changed[at] = static_cast<char>(changed[at] ^ (at % 2 == 0 ? 0xFF : 1 << (at / 2 % 8)));
      w_.disk.put(path, changed);
      changed[at] = content[at];
      start_and_drain();
      expect_ledger();
      expect_intact(path, at, at + 1);
      w_.kill();
      if (HasFailure()) FAIL() << path << " changed at " << at;
    }
    w_.disk.put(path, content);
  }
}

// With one checkpoint slot lost, the last acknowledged batches may return, unchanged. After a clean stop both slots
// agree.
TEST_P(SpoolBytes, SurvivesTruncationAndChangeOfEveryUsedCheckpointByte) {
  const std::string path = "/spool/checkpoint";
  const std::string content = w_.disk.contents()[path];
  const bool stopped = GetParam().second == Exit::kClean;
  for (const size_t slot : {size_t{0}, kCheckpointSlotBytes}) {
    const size_t used = 32 + little_endian::get32(content, slot + 12);
    ASSERT_LT(used, 2000U);
    for (size_t at = slot; at < slot + used; ++at) {
      std::string changed = content;
      changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
      for (const bool cut : {false, true}) {
        w_.disk.put(path, cut ? content.substr(0, at) : changed);
        start_and_drain();
        expect_intact("", 0, 0);
        EXPECT_EQ(w_.teller->lost_batches(), 0U);
        const bool one_is_left = !cut || slot != 0;
        if (stopped && one_is_left) expect_ledger();
        w_.kill();
      }
      if (HasFailure()) FAIL() << "at " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Four, SpoolBytes,
                         ::testing::Values(std::pair{0, Exit::kClean}, std::pair{1, Exit::kKilled},
                                           std::pair{2, Exit::kClean}, std::pair{3, Exit::kKilled}));

}  // namespace
}  // namespace monitor::agent
