#include "ui/web/log_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/hex.h"
#include "base/text.h"
#include "consume/consumer.h"
#include "metrics/json_form.h"
#include "metrics/resource.h"
#include "ui/web/values_json.h"

namespace monitor::analysis::web {

namespace {

constexpr int64_t kBlock = 200;         // records in one read
constexpr size_t kMostLookedAt = 4000;  // records, for one result
constexpr size_t kLongestBody = size_t{64} * 1024;

std::string seconds(int64_t ns) { return seconds_json(ns); }

std::string record_json(const metriclog::Record& record, const Result<metrics::Batch>& batch) {
  std::string out =
      fmt::format(R"({{"partition":{},"offset":{},"time":{},"key":{},"bytes":{},"headers":{{)", record.partition,
                  record.offset, seconds(record.time_ns), json_quote(record.key), record.value.size());
  std::set<std::string_view> seen;
  for (const auto& [name, value] : record.headers) {
    if (!seen.insert(name).second) continue;
    const bool text = valid_utf8(value) && std::ranges::none_of(value, [](unsigned char c) { return c < 0x20; });
    out += fmt::format("{}{}:{}", seen.size() > 1 ? "," : "", json_quote(name), json_quote(text ? value : hex(value)));
  }
  out += "}";
  if (!batch) return out + fmt::format(R"(,"error":{}}})", json_quote(batch.error().message()));
  size_t points = 0;
  for (const metrics::Frame& frame : batch->frames) points += frame.points.size();
  out += fmt::format(R"(,"agent":{},"sequence":{},"ticks":{},"points":{})", json_quote(batch->agent_id),
                     batch->sequence, batch->frames.size(), points);
  const std::string body = metrics::batch_to_json(*batch);
  return out + (body.size() <= kLongestBody ? ",\"batch\":" + body : R"(,"too_large":true)") + "}";
}

}  // namespace

Result<std::map<int32_t, int64_t>> parse_cursor(const std::string& text) {
  std::map<int32_t, int64_t> cursor;
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

struct LogService::Found {
  struct One {
    int64_t time_ns;
    int64_t offset;
    int32_t partition;
    std::string json;
  };
  std::vector<One> records;
  std::map<int32_t, int64_t> cursor;  // by partition: the record before this one is examined next
  size_t looked_at = 0;
  size_t most = 0;  // records to examine in each partition
};

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

Reply LogService::overview() {
  const auto opened = browser();
  if (!opened) return error_reply(opened.error());
  const auto partitions = (*opened)->partitions();
  if (!partitions) return error_reply(503, partitions.error().message());
  const auto groups = (*opened)->groups();
  std::string out = fmt::format(R"({{"log":{},"partitions":[)", json_quote(describe_));
  std::map<int32_t, int64_t> ends;
  std::string list;
  for (const auto& one : *partitions) {
    ends[one.partition] = one.end;
    list += fmt::format(R"({}{{"partition":{},"begin":{},"end":{},"records":{}}})", list.empty() ? "" : ",",
                        one.partition, one.begin, one.end, one.end - one.begin);
  }
  out += list + "],\"groups\":[";
  list.clear();
  if (groups) {
    for (const auto& one : *groups) {
      const int64_t lag = std::max<int64_t>(ends[one.partition] - one.next_offset, 0);
      list += fmt::format(R"({}{{"group":{},"partition":{},"next":{},"lag":{}}})", list.empty() ? "" : ",",
                          json_quote(one.group), one.partition, one.next_offset, lag);
    }
  }
  return json_reply(out + list +
                    fmt::format("],\"groups_error\":{}}}", groups ? "\"\"" : json_quote(groups.error().message())));
}

bool LogService::matches(const MessageSearch& search, const metriclog::Record& record, std::string& json) {
  if (record.time_ns < search.since_ns || record.time_ns >= search.until_ns) return false;
  // The key is the agent's id, unless a foreign program wrote the record.
  if (!search.agent.empty() && !glob_match(search.agent, record.key)) return false;
  const auto batch = decode_record(record);
  if (!search.metric.empty()) {
    if (!batch) return false;
    metrics::Batch shown;
    shown.series = batch->series;
    shown.resource = batch->resource;
    metrics::carry_resource(shown);
    const bool has = std::ranges::any_of(
        shown.series, [&](const metrics::Series& series) { return metrics::selects(search.metric, series); });
    if (!has) return false;
  }
  json = record_json(record, batch);
  return true;
}

Status LogService::search_down(const MessageSearch& search, int32_t partition, Found& found) {
  const auto opened = browser();
  const auto extents = (*opened)->partitions();
  if (!extents) return extents.error();
  const auto extent = std::ranges::find_if(*extents, [&](const auto& one) { return one.partition == partition; });
  if (extent == extents->end()) return {};
  int64_t end = extent->end;
  int64_t begin = extent->begin;
  const auto start = search.cursor.find(partition);
  if (start != search.cursor.end()) {
    end = std::min(end, start->second);
  } else if (search.offset >= 0) {
    end = std::min(end, search.offset + static_cast<int64_t>(search.limit));
  } else if (search.until_ns != INT64_MAX) {
    const auto at = (*opened)->offset_at(partition, search.until_ns);
    if (!at) return at.error();
    end = std::min(end, *at);
  }
  if (search.offset >= 0) begin = std::max(begin, search.offset);
  if (search.since_ns > 0) {
    const auto at = (*opened)->offset_at(partition, search.since_ns);
    if (!at) return at.error();
    begin = std::max(begin, *at);
  }
  size_t matched = 0;
  size_t looked_at = 0;
  while (end > begin && matched < search.limit && looked_at < found.most) {
    const int64_t from = std::max(begin, end - (search.metric.empty() && search.agent.empty()
                                                    ? std::min<int64_t>(kBlock, static_cast<int64_t>(search.limit))
                                                    : kBlock));
    const auto records = (*opened)->read(partition, from, static_cast<size_t>(end - from));
    if (!records) return records.error();
    int64_t next = from;
    for (auto at = records->rbegin(); at != records->rend(); ++at) {
      if (at->offset >= end) continue;
      ++looked_at;
      std::string json;
      if (!matches(search, *at, json)) continue;
      found.records.push_back({at->time_ns, at->offset, partition, std::move(json)});
      if (++matched == search.limit) {
        next = at->offset;
        break;
      }
    }
    end = next;
  }
  found.looked_at += looked_at;
  if (end > begin) found.cursor[partition] = end;
  return {};
}

Reply LogService::messages(const MessageSearch& search) {
  const auto opened = browser();
  if (!opened) return error_reply(opened.error());
  const auto partitions = (*opened)->partitions();
  if (!partitions) return error_reply(503, partitions.error().message());
  Found found;
  std::vector<int32_t> wanted;
  int32_t only = search.partition;
  // All records of one agent are in one partition.
  if (only < 0 && !search.agent.empty() && search.agent.find_first_of("*?") == std::string::npos)
    only = (*opened)->partition_of(search.agent, partitions->size());
  for (const auto& one : *partitions) {
    if (only >= 0 && one.partition != only) continue;
    // With a cursor, only partitions that still have records.
    if (!search.cursor.empty() && !search.cursor.contains(one.partition)) continue;
    wanted.push_back(one.partition);
  }
  found.most = std::max<size_t>(kMostLookedAt / std::max<size_t>(wanted.size(), 1), kBlock);
  for (const int32_t partition : wanted) {
    if (Status status = search_down(search, partition, found); !status)
      return error_reply(503, status.error().message());
  }
  std::ranges::sort(found.records, [](const auto& a, const auto& b) {
    return std::tuple(-a.time_ns, a.partition, -a.offset) < std::tuple(-b.time_ns, b.partition, -b.offset);
  });
  // Records that do not fit into this result are the first of the next one.
  for (size_t i = search.limit; i < found.records.size(); ++i) {
    const auto& left = found.records[i];
    auto& place = found.cursor.try_emplace(left.partition, left.offset + 1).first->second;
    place = std::max(place, left.offset + 1);
  }
  if (found.records.size() > search.limit) found.records.resize(search.limit);
  std::string out = R"({"messages":[)";
  for (size_t i = 0; i < found.records.size(); ++i) out += (i > 0 ? "," : "") + found.records[i].json;
  std::string cursor;
  for (const auto& [partition, offset] : found.cursor)
    cursor += fmt::format("{}{}:{}", cursor.empty() ? "" : ",", partition, offset);
  return json_reply(out + fmt::format(R"(],"looked_at":{},"cursor":{}}})", found.looked_at,
                                      cursor.empty() ? "null" : json_quote(cursor)));
}

}  // namespace monitor::analysis::web
