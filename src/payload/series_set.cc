#include "payload/series_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "metrics/series_limits.h"
#include "payload/sha256.h"
#include "payload/table.h"

namespace monitor::payload {

namespace {

using protowire::put_varint;
using protowire::zigzag;

// The first number of an entry; larger ones are a row's number + kFirstRow.
constexpr uint64_t kLiteral = 0;
constexpr uint64_t kRun = 1;
constexpr uint64_t kFirstRow = 2;

// A text of a set is coded as its difference from the last one of its kind: the name, the unit, a key, or the values of
// one key.
class LastTexts {
 public:
  std::string& of(std::string_view kind) {
    const auto found = values_.find(kind);
    return found == values_.end() ? values_.try_emplace(std::string(kind)).first->second : found->second;
  }
  std::string name;
  std::string unit;
  std::string key;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

class SetWriter {
 public:
  void entry(const metrics::Series& series) {
    const auto match = find_row(series);
    if (!match) return literal(series);
    const Row& row = table()[match->number];
    if (run_ > 0 && match->number == last_ + 1 && row.slots == slots_ && same_values(match->values)) {
      last_ = match->number;
      ++run_;
      return;
    }
    end_run();
    first_ = last_ = match->number;
    run_ = 1;
    slots_ = row.slots;
    values_.assign(match->values.begin(), match->values.end());
  }
  std::string finish(size_t count) {
    end_run();
    std::string out;
    put_varint(out, count);
    return out + bytes_;
  }

 private:
  bool same_values(const std::vector<std::string_view>& values) const { return std::ranges::equal(values, values_); }
  void end_run() {
    if (run_ == 0) return;
    if (run_ == 1) {
      put_varint(bytes_, kFirstRow + first_);
    } else {
      put_varint(bytes_, kRun);
      put_varint(bytes_, first_);
      put_varint(bytes_, run_);
    }
    for (size_t i = 0; i < slots_.size(); ++i) text(values_[i], texts_.of(slots_[i]));
    run_ = 0;
  }
  void literal(const metrics::Series& series) {
    end_run();
    put_varint(bytes_, kLiteral);
    const auto type = (series.kind == metrics::Kind::kCounter ? 1U : 0U) | (series.integer ? 2U : 0U) |
                      (series.exponent != 0 ? 4U : 0U);
    put_varint(bytes_, type);
    if (series.exponent != 0) put_varint(bytes_, zigzag(series.exponent));
    text(series.name, texts_.name);
    text(series.unit, texts_.unit);
    put_varint(bytes_, series.labels.size());
    for (const auto& [key, value] : series.labels) {
      text(key, texts_.key);
      text(value, texts_.of(key));
    }
  }
  void text(const std::string& now, std::string& last) {
    const auto [differs, at] = std::ranges::mismatch(now, last);
    const auto common = static_cast<size_t>(differs - now.begin());
    put_varint(bytes_, common);
    put_text(bytes_, std::string_view(now).substr(common));
    last = now;
  }

  std::string bytes_;
  LastTexts texts_;
  uint32_t first_ = 0;
  uint32_t last_ = 0;
  size_t run_ = 0;
  std::vector<std::string> slots_;
  std::vector<std::string> values_;
};

class SetReader {
 public:
  SetReader(Cursor& in, const metrics::BatchLimits& limits) : in_(in), limits_(limits) {}

  SeriesSet read() {
    const uint64_t count = in_.count(limits_.series, "the number of series");
    while (in_.ok() && set_.series.size() < count) entry(count - set_.series.size());
    return in_.ok() ? std::move(set_) : SeriesSet();
  }

 private:
  void entry(uint64_t room) {
    const uint64_t first = in_.varint("an entry of the series set");
    if (!in_.ok()) return;
    if (first == kLiteral) return literal();
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
    const std::vector<std::string>& slots = all[number].slots;
    std::vector<std::string> values;
    values.reserve(slots.size());
    for (const std::string& slot : slots)
      values.push_back(text(texts_.of(slot), limits_.value_bytes, "a label's value"));
    for (uint64_t i = number; in_.ok() && i < number + length; ++i) {
      if (all[i].slots != slots) {
        return in_.fail(Code::kInvalidArgument, "a run", fmt::format("row {} has other slots than row {}", i, number));
      }
      for (const std::string& value : values) count_text(value.size());
      set_.series.push_back(series_of(all[i], values));
      set_.rows.push_back(static_cast<uint32_t>(i));
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
    if (const std::string fault = metrics::fault_of(series); !fault.empty()) {
      return in_.fail(Code::kInvalidArgument, "a series", fault);
    }
    set_.series.push_back(std::move(series));
    set_.rows.push_back(kNoRow);
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
};

std::shared_ptr<const SeriesSet> make_standard(const StandardSet& standard) {
  auto set = std::make_shared<SeriesSet>();
  for (uint32_t i = standard.first; i < standard.first + standard.count; ++i) {
    set->series.push_back(table()[i].series);
    set->rows.push_back(i);
  }
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

Result<std::string> encode_set(std::span<const metrics::Series> series, const metrics::BatchLimits& limits) {
  SetWriter writer;
  for (const metrics::Series& one : series) writer.entry(one);
  std::string bytes = writer.finish(series.size());
  Cursor check(bytes);
  (void)get_set(check, limits);
  if (auto s = check.status(); !s) return s.error();
  return bytes;
}

SeriesSet get_set(Cursor& in, const metrics::BatchLimits& limits) { return SetReader(in, limits).read(); }

std::string name_of_set(std::string_view inline_form) { return sha256(inline_form).substr(0, kSetNameBytes); }

std::optional<size_t> standard_set_of(std::span<const metrics::Series> series) {
  const auto& all = all_standard_sets();
  const auto found =
      std::ranges::find_if(all, [&](const auto& set) { return std::ranges::equal(set->series, series); });
  return found == all.end() ? std::nullopt : std::optional(static_cast<size_t>(found - all.begin()));
}

std::shared_ptr<const SeriesSet> standard_set(size_t number) {
  const auto& all = all_standard_sets();
  return number < all.size() ? all[number] : nullptr;
}

Status SeriesSets::add(std::string_view name, std::string_view inline_form, const metrics::BatchLimits& limits) {
  if (name_of_set(inline_form) != name) {
    return Error(Code::kDataLoss, fmt::format("payload: the series set {} has the digest {}; it is not used", hex(name),
                                              hex(name_of_set(inline_form))));
  }
  if (sets_.contains(std::string(name))) return {};
  Cursor in(inline_form);
  auto set = std::make_shared<const SeriesSet>(get_set(in, limits));
  if (in.ok() && in.left() > 0) in.fail(Code::kInvalidArgument, "the series set", "bytes follow it");
  if (auto s = in.status(); !s) return s;
  if (set->series.size() > max_series_) {
    return Error(Code::kResourceExhausted,
                 fmt::format("payload: a series set has {} series, the limit of the store is {}", set->series.size(),
                             max_series_));
  }
  series_ += set->series.size();
  order_.emplace_back(name);
  sets_.emplace(name, std::move(set));
  while (series_ > max_series_) {
    const auto oldest = sets_.find(order_.front());
    series_ -= oldest->second->series.size();
    sets_.erase(oldest);
    order_.pop_front();
  }
  return {};
}

std::shared_ptr<const SeriesSet> SeriesSets::find(std::string_view name) const {
  const auto found = sets_.find(std::string(name));
  return found == sets_.end() ? nullptr : found->second;
}

}  // namespace monitor::payload
