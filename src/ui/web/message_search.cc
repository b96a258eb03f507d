#include "ui/web/message_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/text.h"
#include "consume/consumer.h"
#include "metrics/resource.h"

namespace monitor::analysis::web {

namespace {

using metriclog::Record;
using metriclog::Span;
using Order = MessageSearch::Order;
using Kind = MessageSearch::Kind;

constexpr int64_t kBlock = 200;  // records in the first read of a search for some keys
constexpr int64_t kGrow = 4;     // without a match, the next read is larger by this factor

bool matches_key(const MessageSearch& search, std::string_view key) {
  // The key is the agent's id, unless a foreign program wrote the record.
  return search.agent.empty() || glob_match(search.agent, key);
}

bool has_tick(const metrics::Batch& batch, const MessageSearch& search) {
  return std::ranges::any_of(batch.frames, [&](const metrics::Frame& frame) {
    return frame.time_ns >= search.tick_since_ns && frame.time_ns < search.tick_until_ns;
  });
}

bool has_metric(const metrics::Batch& batch, const std::string& pattern) {
  metrics::Batch shown;
  shown.series = batch.series;
  shown.resource = batch.resource;
  metrics::carry_resource(shown);
  return std::ranges::any_of(shown.series,
                             [&](const metrics::Series& series) { return metrics::selects(pattern, series); });
}

bool matches(const MessageSearch& search, const Record& record) {
  if (record.time_ns < search.since_ns || record.time_ns >= search.until_ns) return false;
  if (!search.needs_decoding()) return true;
  const auto batch = decode_record(record);
  if (search.kind == Kind::kCorrupt) return !batch;
  if (!batch || (!search.metric.empty() && !has_metric(*batch, search.metric))) return false;
  const bool any_tick = search.tick_since_ns == 0 && search.tick_until_ns == INT64_MAX;
  return any_tick || has_tick(*batch, search);
}

class Search {
 public:
  Search(metriclog::LogBrowser& browser, const MessageSearch& search) : browser_(browser), search_(search) {}

  Result<FoundMessages> run() {
    if (Status chosen = choose_parts(); !chosen) return chosen.error();
    const size_t most = search_.needs_decoding() ? kMostDecoded : kMostKeys;
    most_ = std::max<size_t>(most / std::max<size_t>(parts_.size(), 1), kBlock);
    for (bool more = true; more;) {
      const auto went_on = down() ? round_down() : round_up();
      if (!went_on) return went_on.error();
      more = *went_on;
    }
    return merged();
  }

 private:
  // What is searched of one partition: [begin, end) is not examined yet. A search down lowers `end`.
  struct Part {
    int32_t partition = 0;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t range_end = 0;  // `end` at the start
    int64_t block = 0;      // records in the next read
    size_t looked_at = 0;
    std::deque<Record> found;  // in the order of their offsets
  };

  bool down() const { return search_.order == Order::kNewest; }
  bool filters() const { return !search_.agent.empty() || search_.needs_decoding(); }
  bool is_open(const Part& part) const {
    return part.end > part.begin && part.found.size() < search_.limit && part.looked_at < most_;
  }

  Status choose_parts() {
    const auto extents = browser_.partitions();
    if (!extents) return extents.error();
    int32_t only = search_.partition;
    // All records of one agent are in one partition.
    if (only < 0 && !search_.agent.empty() && search_.agent.find_first_of("*?") == std::string::npos)
      only = browser_.partition_of(search_.agent, extents->size());
    for (const auto& extent : *extents) {
      if (only >= 0 && extent.partition != only) continue;
      // With a cursor, only partitions that still have records. Oldest first, a new partition is read from its start.
      if (down() && !search_.cursor.empty() && !search_.cursor.contains(extent.partition)) continue;
      auto part = part_of(extent);
      if (!part) return part.error();
      parts_.push_back(std::move(*part));
    }
    return {};
  }

  Result<Part> part_of(const metriclog::PartitionExtent& extent) {
    Part part{.partition = extent.partition, .begin = extent.begin, .end = extent.end};
    part.block = filters() ? kBlock : static_cast<int64_t>(search_.limit);
    const auto cursor = search_.cursor.find(extent.partition);
    const bool goes_on = cursor != search_.cursor.end();
    if (search_.offset >= 0) part.begin = std::max(part.begin, search_.offset);
    if (search_.since_ns > 0 && !(goes_on && !down())) {
      const auto at = browser_.offset_at(part.partition, search_.since_ns);
      if (!at) return at.error();
      part.begin = std::max(part.begin, *at);
    }
    if (search_.until_ns != INT64_MAX && !(goes_on && down())) {
      const auto at = browser_.offset_at(part.partition, search_.until_ns);
      if (!at) return at.error();
      part.end = std::min(part.end, *at);
    }
    part.range_end = part.end;
    if (goes_on && down()) part.end = std::min(part.end, cursor->second);
    if (goes_on && !down()) part.begin = std::max(part.begin, cursor->second);
    // With an offset, the newest of the first records.
    if (!goes_on && down() && search_.offset >= 0)
      part.end = std::min(part.end, part.begin + static_cast<int64_t>(search_.limit));
    return part;
  }

  // The next read of this partition. Grows by how rare matches have been.
  int64_t next_block(Part& part) const {
    const int64_t size = std::min(part.block, part.end - part.begin);
    const auto missing = static_cast<int64_t>(search_.limit - part.found.size());
    if (!filters()) return std::min(size, missing);
    return std::clamp<int64_t>(size, 1, std::max<int64_t>(static_cast<int64_t>(most_ - part.looked_at), 1));
  }
  void plan_next(Part& part) const {
    const auto found = static_cast<int64_t>(part.found.size());
    const auto missing = static_cast<int64_t>(search_.limit) - found;
    const auto looked_at = static_cast<int64_t>(part.looked_at);
    const int64_t wanted = found == 0 ? looked_at * kGrow : looked_at * missing / found + kBlock;
    part.block = std::clamp<int64_t>(wanted, kBlock, std::max(part.block * kGrow, kBlock));
  }

  // Reads one block of each open partition, from their ends. False: nothing is left to read.
  Result<bool> round_down() {
    std::vector<Span> spans;
    std::map<int32_t, std::deque<Record>> blocks;
    for (Part& part : parts_) {
      if (is_open(part)) spans.push_back({part.partition, part.end - next_block(part), part.end});
    }
    if (spans.empty()) return false;
    const std::vector<Span> asked = spans;
    const Status done = browser_.scan(
        spans, [&](std::string_view key) { return matches_key(search_, key); },
        [&](Record record) {
          if (matches(search_, record)) {
            auto& block = blocks[record.partition];
            block.push_back(std::move(record));
            // Older ones of this block are found by the search that continues this one.
            if (block.size() > search_.limit) block.pop_front();
          }
          return true;
        });
    if (!done) return done.error();
    for (size_t i = 0; i < spans.size(); ++i) {
      if (spans[i].next < spans[i].end) return too_slow(spans[i]);
      take_block(part_at(spans[i].partition), asked[i].next, blocks[spans[i].partition]);
    }
    return true;
  }

  void take_block(Part& part, int64_t from, std::deque<Record>& block) const {
    const size_t room = search_.limit - part.found.size();
    const bool full = block.size() >= room;
    while (block.size() > room) block.pop_front();
    const int64_t lowest = full && !block.empty() ? block.front().offset : from;
    part.looked_at += static_cast<size_t>(part.end - lowest);
    part.end = lowest;
    part.found.insert(part.found.begin(), std::make_move_iterator(block.begin()), std::make_move_iterator(block.end()));
    plan_next(part);
  }

  // The same from their beginnings.
  Result<bool> round_up() {
    std::vector<Span> spans;
    for (Part& part : parts_) {
      if (is_open(part)) spans.push_back({part.partition, part.begin, part.begin + next_block(part)});
    }
    if (spans.empty()) return false;
    std::map<int32_t, int64_t> full;  // by partition: where it was full
    const Status done = browser_.scan(
        spans, [&](std::string_view key) { return matches_key(search_, key); },
        [&](Record record) {
          Part& part = part_at(record.partition);
          if (part.found.size() >= search_.limit || !matches(search_, record)) return true;
          part.found.push_back(std::move(record));
          if (part.found.size() == search_.limit) full[part.partition] = part.found.back().offset + 1;
          return spans.size() > 1 || part.found.size() < search_.limit;
        });
    if (!done) return done.error();
    bool moved = false;
    for (const Span& span : spans) {
      Part& part = part_at(span.partition);
      const auto stopped = full.find(span.partition);
      const int64_t next = stopped == full.end() ? span.next : stopped->second;
      moved = moved || next > part.begin;
      part.looked_at += static_cast<size_t>(next - part.begin);
      part.begin = next;
      plan_next(part);
    }
    if (!moved) return too_slow(spans.front());
    return true;
  }

  static Error too_slow(const Span& span) {
    return Error(Code::kUnavailable, fmt::format("the log did not answer in time: partition {} was read up to offset "
                                                 "{} of {}; try again",
                                                 span.partition, span.next, span.end));
  }

  Part& part_at(int32_t partition) {
    return *std::ranges::find_if(parts_, [&](const Part& part) { return part.partition == partition; });
  }

  // Merges by time what was found, keeping the order of each partition. Those beyond the limit are found again.
  FoundMessages merged() {
    FoundMessages all;
    while (all.records.size() < search_.limit) {
      Part* next = nullptr;
      for (Part& part : parts_) {
        if (part.found.empty()) continue;
        if (next == nullptr || comes_before(head(part), head(*next))) next = &part;
      }
      if (next == nullptr) break;
      all.records.push_back(std::move(head(*next)));
      if (down()) {
        next->found.pop_back();
      } else {
        next->found.pop_front();
      }
    }
    for (Part& part : parts_) finish(part, all);
    return all;
  }

  Record& head(Part& part) const { return down() ? part.found.back() : part.found.front(); }
  bool comes_before(const Record& one, const Record& other) const {
    return down() ? one.time_ns > other.time_ns : one.time_ns < other.time_ns;
  }

  void finish(Part& part, FoundMessages& all) const {
    if (!part.found.empty()) (down() ? part.end : part.begin) = down() ? head_offset(part) + 1 : head_offset(part);
    all.looked_at += part.looked_at;
    all.left += std::max<int64_t>(part.end - part.begin, 0);
    if (!down()) {
      all.cursor[part.partition] = part.begin;
    } else if (part.end > part.begin) {
      all.cursor[part.partition] = part.end;
    }
    if (down() && search_.cursor.empty()) all.follow[part.partition] = part.range_end;
  }
  int64_t head_offset(const Part& part) const { return down() ? part.found.back().offset : part.found.front().offset; }

  metriclog::LogBrowser& browser_;
  const MessageSearch& search_;
  std::vector<Part> parts_;
  size_t most_ = 0;  // records to examine in each partition
};

}  // namespace

Result<Offsets> parse_cursor(const std::string& text) {
  Offsets cursor;
  if (text.empty()) return cursor;
  for (const std::string_view part : split(text, ',')) {
    const size_t colon = part.find(':');
    const auto partition = colon == std::string_view::npos ? std::nullopt : parse_u64(part.substr(0, colon));
    const auto offset = colon == std::string_view::npos ? std::nullopt : parse_i64(part.substr(colon + 1));
    if (!partition || *partition > 100'000 || !offset || *offset < 0) {
      return Error(Code::kInvalidArgument, "query: cursor: expected the cursor of a previous result");
    }
    cursor[static_cast<int32_t>(*partition)] = *offset;
  }
  return cursor;
}

std::string cursor_text(const Offsets& cursor) {
  std::string text;
  for (const auto& [partition, offset] : cursor)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", partition, offset);
  return text;
}

Result<FoundMessages> search_messages(metriclog::LogBrowser& browser, const MessageSearch& search) {
  return Search(browser, search).run();
}

}  // namespace monitor::analysis::web
