#include "payload/series_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "metrics/series_limits.h"
#include "payload/layout.h"
#include "payload/set_writer.h"
#include "payload/table.h"

namespace monitor::payload {

namespace {

class SetReader {
 public:
  SetReader(Cursor& in, const metrics::BatchLimits& limits) : in_(in), limits_(limits) {}

  SeriesSet read() {
    const uint64_t count = in_.count(limits_.series, "the number of series");
    while (in_.ok() && set_.series.size() < count) entry(count - set_.series.size());
    if (!in_.ok()) return {};
    for (size_t i = 0; i < count; ++i) set_.plan.add(set_.series[i].integer, set_.rows[i]);
    set_.plan.finish(set_.rows);
    return std::move(set_);
  }

 private:
  void entry(uint64_t room) {
    const uint64_t first = in_.varint("an entry of the series set");
    if (!in_.ok()) return;
    if (first == kLiteral) return literal();
    if (first == kAgain) return again(room);
    if (first != kRun) return rows(first - kFirstRow, 1);
    const uint64_t number = in_.varint("the first row of a run");
    const uint64_t length = in_.count(room, "the length of a run");
    if (in_.ok() && length == 0) in_.fail(Code::kInvalidArgument, "the length of a run", "is 0");
    if (in_.ok()) rows(number, length);
  }

  void rows(uint64_t number, uint64_t length) {
    const auto all = table();
    if (number >= all.size() || length > all.size() - number) {
      return in_.fail(
          Code::kInvalidArgument, "a row of the static table",
          fmt::format("{} to {} are not all known, this version has {} rows", number, number + length - 1, all.size()));
    }
    first_ = static_cast<uint32_t>(number);
    rows_ = static_cast<uint32_t>(length);
    put_rows();
  }

  // The rows of the last entry, with values of their slots.
  void put_rows() {
    const auto all = table();
    const std::vector<std::string>& slots = all[first_].slots;
    std::vector<std::string> values;
    values.reserve(slots.size());
    for (const std::string& slot : slots)
      values.push_back(text(texts_.of(slot), limits_.value_bytes, "a label's value"));
    for (uint32_t i = first_; in_.ok() && i < first_ + rows_; ++i) {
      if (all[i].slots != slots) {
        return in_.fail(Code::kInvalidArgument, "a run", fmt::format("row {} has other slots than row {}", i, first_));
      }
      for (const std::string& value : values) count_text(value.size());
      set_.series.push_back(series_of(all[i], values));
      set_.rows.push_back(i);
    }
  }

  void literal() {
    metrics::Series series;
    const uint64_t type = in_.count(7, "the type of a series");
    series.kind = (type & 1) != 0 ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = (type & 2) != 0;
    if ((type & 4) != 0) exponent(series);
    series.name = text(texts_.name, limits_.name_bytes, "a metric's name");
    series.unit = text(texts_.unit, limits_.name_bytes, "a unit");
    const uint64_t labels = in_.count(limits_.labels, "the number of labels of a series");
    for (uint64_t i = 0; in_.ok() && i < labels; ++i) {
      std::string key = text(texts_.key, limits_.name_bytes, "a label's key");
      if (in_.ok() && !series.labels.empty() && key <= series.labels.back().first) {
        in_.fail(Code::kInvalidArgument, "the labels of a series", "are not sorted, or not unique");
      }
      std::string value = text(texts_.of(key), limits_.value_bytes, "a label's value");
      series.labels.emplace_back(std::move(key), std::move(value));
    }
    if (!in_.ok()) return;
    rows_ = 0;
    keep_literal(std::move(series));
  }

  void keep_literal(metrics::Series series) {
    if (const std::string fault = metrics::fault_of(series); !fault.empty()) {
      return in_.fail(Code::kInvalidArgument, "a series", fault);
    }
    set_.series.push_back(std::move(series));
    set_.rows.push_back(kNoRow);
  }

  // The last entry, so many times, each with other values of slots or labels.
  void again(uint64_t room) {
    const bool none =
        set_.series.empty() || (rows_ > 0 ? table()[first_].slots.empty() : set_.series.back().labels.empty());
    if (none) return in_.fail(Code::kInvalidArgument, "a repetition", "follows no entry with values");
    const uint64_t each = std::max<uint64_t>(rows_, 1);
    const uint64_t times = in_.count(room / each, "the number of repetitions");
    if (in_.ok() && times == 0) in_.fail(Code::kInvalidArgument, "the number of repetitions", "is 0");
    for (uint64_t i = 0; in_.ok() && i < times; ++i) {
      if (rows_ > 0) {
        put_rows();
        continue;
      }
      metrics::Series series = set_.series.back();
      count_text(series.name.size() + series.unit.size());
      for (auto& [key, value] : series.labels) {
        count_text(key.size());
        value = text(texts_.of(key), limits_.value_bytes, "a label's value");
      }
      if (in_.ok()) keep_literal(std::move(series));
    }
  }

  void exponent(metrics::Series& series) {
    const int64_t value = in_.zigzag("an exponent");
    if (value < -18 || value > 18) {
      in_.fail(Code::kInvalidArgument, "an exponent", fmt::format("is {}, the limits are -18 and 18", value));
    } else {
      series.exponent = static_cast<int>(value);
    }
  }

  std::string text(std::string& last, size_t limit, std::string_view what) {
    const uint64_t common = in_.count(last.size(), "a common prefix");
    const uint64_t more = in_.count(limit - std::min<size_t>(limit, common), what);
    const std::string_view rest = in_.take(more, what);
    if (!in_.ok()) return {};
    std::string now = last.substr(0, common);
    now += rest;
    if (!valid_utf8(now)) {
      in_.fail(Code::kInvalidArgument, what, "is not valid UTF-8");
      return {};
    }
    count_text(now.size());
    last = now;
    return now;
  }

  void count_text(size_t bytes) {
    text_ += bytes;
    if (text_ > kMaxSetText) {
      in_.fail(Code::kResourceExhausted, "the texts of the series set",
               fmt::format("have {} bytes, the limit is {}", text_, kMaxSetText));
    }
  }

  Cursor& in_;
  const metrics::BatchLimits& limits_;
  SeriesSet set_;
  LastTexts texts_;
  size_t text_ = 0;
  // The last entry: its rows, or 0 of them if it is a literal.
  uint32_t first_ = 0;
  uint32_t rows_ = 0;
};

std::shared_ptr<const SeriesSet> make_standard(const StandardSet& standard) {
  auto set = std::make_shared<SeriesSet>();
  for (uint32_t i = standard.first; i < standard.first + standard.count; ++i) {
    set->series.push_back(table()[i].series);
    set->rows.push_back(i);
    set->plan.add(true, i);
  }
  set->plan.finish(set->rows);
  return set;
}

const std::vector<std::shared_ptr<const SeriesSet>>& all_standard_sets() {
  static const auto all = [] {
    std::vector<std::shared_ptr<const SeriesSet>> sets;
    for (const StandardSet& standard : standard_sets()) sets.push_back(make_standard(standard));
    return sets;
  }();
  return all;
}

}  // namespace

void SetPlan::add(bool is_integer, uint32_t row) {
  usual.push_back(default_form(is_integer, row));
  integer.push_back(is_integer ? 1 : 0);
  part.push_back(0);
  if (usual.back() == Form::kShare) shares.push_back({static_cast<uint32_t>(usual.size() - 1), kNoRow, kNoRow});
}

void SetPlan::finish(std::span<const uint32_t> rows) {
  if (shares.empty()) return;
  std::vector<uint32_t> first(table().size(), kNoRow);  // of each row: the first series of it
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != kNoRow && first[rows[i]] == kNoRow) first[rows[i]] = i;
  }
  for (Share& share : shares) {
    const Row& row = table()[rows[share.series]];
    share.part = first[row.part];
    share.whole = first[row.whole];
    if (share.part != kNoRow) part[share.part] = 1;
    if (share.whole != kNoRow) part[share.whole] = 1;
  }
}

Result<std::string> encode_set(std::span<const metrics::Series> series, const metrics::BatchLimits& limits) {
  SetWriter writer;
  for (const metrics::Series& one : series) writer.add(one, row_of(one));
  std::string bytes = writer.finish();
  if (const auto read = read_set(bytes, limits); !read) return read.error();
  return bytes;
}

SeriesSet get_set(Cursor& in, const metrics::BatchLimits& limits) { return SetReader(in, limits).read(); }

Result<SeriesSet> read_set(std::string_view inline_form, const metrics::BatchLimits& limits) {
  Cursor in(inline_form);
  SeriesSet set = get_set(in, limits);
  if (in.ok() && in.left() > 0) {
    in.fail(Code::kInvalidArgument, "the end of the series set", fmt::format("{} bytes follow it", in.left()));
  }
  if (!in.ok()) return in.error();
  return set;
}

std::optional<size_t> standard_set_of(std::span<const metrics::Series> series) {
  const auto& all = all_standard_sets();
  const auto found =
      std::ranges::find_if(all, [&](const auto& set) { return std::ranges::equal(set->series, series); });
  return found == all.end() ? std::nullopt : std::optional(static_cast<size_t>(found - all.begin()));
}

std::optional<size_t> standard_set_of_rows(std::span<const uint32_t> rows) {
  const auto& all = all_standard_sets();
  const auto found = std::ranges::find_if(all, [&](const auto& set) { return std::ranges::equal(set->rows, rows); });
  return found == all.end() ? std::nullopt : std::optional(static_cast<size_t>(found - all.begin()));
}

std::shared_ptr<const SeriesSet> standard_set(size_t number) {
  const auto& all = all_standard_sets();
  return number < all.size() ? all[number] : nullptr;
}

}  // namespace monitor::payload
