#include "ui/web/log_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"
#include "ui/web/values_json.h"

namespace monitor::analysis::web {

namespace {

using metriclog::GroupPosition;
using metriclog::PartitionExtent;
using metriclog::Record;

// The page's own reader in the history of lags; no group has this name.
constexpr const char* kOwnReader = "";

const metriclog::KeyFilter kAnyKey = [](std::string_view /*key*/) { return true; };

int64_t lag_of(const std::map<int32_t, int64_t>& ends, int32_t partition, int64_t next) {
  const auto end = ends.find(partition);
  return end == ends.end() ? 0 : std::max<int64_t>(end->second - next, 0);
}

std::map<int32_t, int64_t> ends_of(const std::vector<PartitionExtent>& extents) {
  std::map<int32_t, int64_t> ends;
  for (const PartitionExtent& one : extents) ends[one.partition] = one.end;
  return ends;
}

}  // namespace

Result<metriclog::LogBrowser*> LogService::browser() {
  if (!browser_) {
    auto opened = open_();
    if (!opened) return opened.error();
    browser_ = std::move(*opened);
  }
  return browser_.get();
}

Result<std::vector<metriclog::Heartbeat>> LogService::heartbeats() {
  const auto opened = browser();
  if (!opened) return opened.error();
  return (*opened)->heartbeats();
}

// Reads the first and the last record of each partition, unless they are known.
Status LogService::read_ends(const std::vector<PartitionExtent>& extents) {
  std::vector<metriclog::Span> first;
  std::vector<metriclog::Span> last;
  for (const PartitionExtent& one : extents) {
    Ends& known = ends_[one.partition];
    if (one.begin != known.begin) known.oldest_ns = 0;
    if (one.end != known.end) known.newest_ns = 0;
    known.begin = one.begin;
    known.end = one.end;
    if (one.begin >= one.end) continue;
    if (known.oldest_ns == 0) first.push_back({one.partition, one.begin, one.begin + 1});
    if (known.newest_ns == 0) last.push_back({one.partition, one.end - 1, one.end});
  }
  if (Status read = read_times(std::move(first), &Ends::oldest_ns); !read) return read;
  return read_times(std::move(last), &Ends::newest_ns);
}

Status LogService::read_times(std::vector<metriclog::Span> spans, int64_t Ends::* time) {
  if (spans.empty()) return {};
  return browser_->scan(spans, kAnyKey, [&](const Record& record) {
    ends_[record.partition].*time = record.time_ns;
    return true;
  });
}

std::string LogService::partitions_json(const std::vector<PartitionExtent>& extents, const ReaderPlaces& places) const {
  std::string list;
  for (const PartitionExtent& one : extents) {
    const Ends& ends = ends_.at(one.partition);
    const auto place = places.find(one.partition);
    const bool seen = place != places.end() && place->second.records > 0;
    list += fmt::format(
        R"({}{{"partition":{},"begin":{},"end":{},"records":{},"oldest":{},"newest":{},"bytes":{},"mean_bytes":{}}})",
        list.empty() ? "" : ",", one.partition, one.begin, one.end, one.end - one.begin, time_json(ends.oldest_ns),
        time_json(ends.newest_ns), one.bytes < 0 ? "null" : std::to_string(one.bytes),
        seen ? json_number(static_cast<double>(place->second.bytes) / static_cast<double>(place->second.records))
             : "null");
  }
  return list;
}

Reply LogService::overview() {
  const auto opened = browser();
  if (!opened) return error_reply(opened.error());
  const auto extents = (*opened)->partitions();
  if (!extents) return error_reply(503, extents.error().message());
  // Their times may be unknown: without them, the rest is still true.
  (void)read_ends(*extents);
  const auto groups = (*opened)->groups();
  const ReaderPlaces places = places_();
  const auto ends = ends_of(*extents);
  std::string group_list;
  for (const GroupPosition& one : groups ? *groups : std::vector<GroupPosition>()) {
    group_list += fmt::format(R"({}{{"group":{},"partition":{},"next":{},"lag":{}}})", group_list.empty() ? "" : ",",
                              json_quote(one.group), one.partition, one.next_offset,
                              lag_of(ends, one.partition, one.next_offset));
  }
  std::string own;
  for (const auto& [partition, place] : places) {
    if (!ends.contains(partition)) continue;
    own += fmt::format(R"({}{{"partition":{},"next":{},"lag":{}}})", own.empty() ? "" : ",", partition, place.next,
                       lag_of(ends, partition, place.next));
  }
  return json_reply(fmt::format(R"({{"log":{},"partitions":[{}],"groups":[{}],"groups_error":{},"reader":[{}]}})",
                                json_quote(describe_), partitions_json(*extents, places), group_list,
                                groups ? "\"\"" : json_quote(groups.error().message()), own));
}

Reply LogService::messages(const MessageSearch& search, MessageContent content) {
  const auto opened = browser();
  if (!opened) return error_reply(opened.error());
  const auto found = search_messages(**opened, search);
  if (!found) return error_reply(503, found.error().message());
  std::string list;
  for (const Record& record : found->records) list += (list.empty() ? "" : ",") + message_json(record, content);
  const auto cursor = [](const Offsets& offsets) {
    return offsets.empty() ? std::string("null") : json_quote(cursor_text(offsets));
  };
  return json_reply(fmt::format(R"({{"messages":[{}],"looked_at":{},"left":{},"cursor":{},"follow":{}}})", list,
                                found->looked_at, found->left, cursor(found->cursor), cursor(found->follow)));
}

Result<Record> LogService::record_at(int32_t partition, int64_t offset) {
  const auto opened = browser();
  if (!opened) return opened.error();
  const auto extents = (*opened)->partitions();
  if (!extents) return extents.error();
  const auto extent = std::ranges::find(*extents, partition, &PartitionExtent::partition);
  if (extent == extents->end()) {
    return Error(Code::kNotFound, fmt::format("partition {} does not exist; the log has {}", partition,
                                              extents->size() == 1 ? "only partition 0"
                                                                   : fmt::format("{} partitions", extents->size())));
  }
  if (offset < extent->begin || offset >= extent->end) {
    return Error(Code::kNotFound, fmt::format("partition {} does not hold offset {}: its messages are {} to {}",
                                              partition, offset, extent->begin, extent->end - 1));
  }
  std::optional<Record> found;
  std::vector<metriclog::Span> spans = {{partition, offset, offset + 1}};
  const Status read = (*opened)->scan(spans, kAnyKey, [&](Record record) {
    found = std::move(record);
    return false;
  });
  if (!read) return read.error();
  if (!found) {
    return Error(Code::kNotFound, fmt::format("partition {} has no message at offset {}", partition, offset));
  }
  return std::move(*found);
}

Reply LogService::message(int32_t partition, int64_t offset) {
  const auto record = record_at(partition, offset);
  if (!record) return error_reply(record.error());
  return json_reply(message_json(*record, MessageContent::kWhole));
}

Reply LogService::value(int32_t partition, int64_t offset, size_t from, size_t most) {
  auto record = record_at(partition, offset);
  if (!record) return error_reply(record.error());
  std::string& bytes = record->value;
  if (from > 0 || bytes.size() > most) bytes = from < bytes.size() ? bytes.substr(from, most) : std::string();
  return {.content_type = "application/octet-stream", .body = std::make_shared<const std::string>(std::move(bytes))};
}

void LogService::sample_lag(int64_t now_ns) {
  // Without an answer, the history has a gap.
  const auto opened = browser();
  if (!opened) return;
  const auto extents = (*opened)->partitions();
  if (!extents) return;
  const auto ends = ends_of(*extents);
  LagHistory::Sample sample{.time_ns = now_ns};
  for (const auto& [partition, end] : ends) sample.stored += end;
  for (const auto& [partition, place] : places_()) sample.lags[kOwnReader] += lag_of(ends, partition, place.next);
  if (const auto groups = (*opened)->groups()) {
    for (const GroupPosition& one : *groups) sample.lags[one.group] += lag_of(ends, one.partition, one.next_offset);
  }
  lags_.add(std::move(sample));
}

Reply LogService::lag(int64_t span_ns, int64_t now_ns) const {
  const auto past = lags_.past(span_ns, now_ns);
  std::string times;
  std::string stored;
  std::map<std::string, std::string> lags;  // the lists of those that are in any sample
  for (const auto* sample : past.samples) {
    for (const auto& [reader, lag] : sample->lags) lags.try_emplace(reader);
  }
  for (const auto* sample : past.samples) {
    const char* const comma = times.empty() ? "" : ",";
    times += comma + seconds_json(sample->time_ns);
    stored += comma + std::to_string(sample->stored);
    for (auto& [reader, list] : lags) {
      const auto lag = sample->lags.find(reader);
      list += comma + (lag == sample->lags.end() ? std::string("null") : std::to_string(lag->second));
    }
  }
  std::string groups;
  for (const auto& [reader, list] : lags) {
    if (reader == kOwnReader) continue;
    groups += fmt::format(R"({}{{"group":{},"lag":[{}]}})", groups.empty() ? "" : ",", json_quote(reader), list);
  }
  const auto own = lags.find(kOwnReader);
  return json_reply(
      fmt::format(R"({{"since":{},"kept":{},"step":{},"times":[{}],"stored":[{}],"reader":[{}],"groups":[{}]}})",
                  time_json(lags_.since_ns()), LagHistory::kKeptFor / kNanosPerSecond, past.step_ns / kNanosPerSecond,
                  times, stored, own == lags.end() ? "" : own->second, groups));
}

}  // namespace monitor::analysis::web
