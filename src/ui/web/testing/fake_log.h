// A log in memory for tests of what reads it: any number of partitions with any records.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "metriclog/browser.h"

namespace monitor::analysis::web {

// The last character of a key names its partition. Record n is stored n microseconds after the first one.
class FakeLog final : public metriclog::LogBrowser {
 public:
  // Partitions with the given numbers of records, which are stored in turn.
  void fill(const std::vector<int64_t>& ends, const std::function<std::string(int32_t, int64_t)>& key) {
    for (size_t i = 0; i < ends.size(); ++i) partitions_[static_cast<int32_t>(i)];
    for (int64_t offset = 0; offset < *std::ranges::max_element(ends); ++offset) {
      for (auto& [partition, records] : partitions_) {
        if (offset < ends[static_cast<size_t>(partition)]) append(partition, key(partition, offset));
      }
    }
  }
  void append(int32_t partition, std::string key) {
    auto& records = partitions_[partition];
    metriclog::Record record{.partition = partition, .offset = static_cast<int64_t>(records.size())};
    record.time_ns = ++stored_ * kNanosPerMilli;
    record.key = std::move(key);
    records.push_back(std::move(record));
  }

  Result<std::vector<metriclog::PartitionExtent>> partitions() override {
    std::vector<metriclog::PartitionExtent> found;
    for (const auto& [partition, records] : partitions_)
      found.push_back({partition, 0, static_cast<int64_t>(records.size())});
    return found;
  }
  Result<std::vector<metriclog::GroupPosition>> groups() override { return positions_; }
  Result<std::vector<metriclog::Record>> read(int32_t partition, int64_t from, size_t limit) override {
    const auto& records = partitions_[partition];
    const auto begin = records.begin() + std::clamp<int64_t>(from, 0, static_cast<int64_t>(records.size()));
    return std::vector(begin, begin + std::min<int64_t>(static_cast<int64_t>(limit), records.end() - begin));
  }
  Status scan(std::vector<metriclog::Span>& spans, const metriclog::KeyFilter& wanted,
              const metriclog::TakeRecord& take) override {
    int64_t left = answers;
    for (metriclog::Span& span : spans) {
      scanned.push_back(span.partition);
      for (; span.next < span.end; ++span.next) {
        if (left-- == 0) return {};
        ++examined;
        const metriclog::Record& record = partitions_.at(span.partition).at(static_cast<size_t>(span.next));
        if (wanted(record.key) && !take(record)) {
          ++span.next;
          return {};
        }
      }
    }
    return {};
  }
  Result<int64_t> offset_at(int32_t partition, int64_t time_ns) override {
    const auto& records = partitions_.at(partition);
    return std::ranges::lower_bound(records, time_ns, {}, &metriclog::Record::time_ns) - records.begin();
  }
  Result<std::vector<metriclog::Heartbeat>> heartbeats() override { return std::vector<metriclog::Heartbeat>(); }
  int32_t partition_of(std::string_view key, size_t partitions) const override {
    return (key.back() - '0') % static_cast<int32_t>(partitions);
  }

  std::map<int32_t, std::vector<metriclog::Record>> partitions_;
  std::vector<metriclog::GroupPosition> positions_;
  std::vector<int32_t> scanned;  // the partitions of all scans
  int64_t examined = 0;          // records of all scans
  int64_t answers = INT64_MAX;   // records that one scan examines before its time is over

 private:
  int64_t stored_ = 0;
};

}  // namespace monitor::analysis::web
