#include "payload/testing/random_batches.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/hex.h"
#include "payload/forms.h"
#include "payload/table.h"

namespace monitor::payload {

namespace {

using metrics::Batch;
using metrics::Drop;
using metrics::Frame;
using metrics::Point;
using metrics::Series;

constexpr int64_t kStart = 1'790'000'000'000'000'000;
constexpr int64_t kGrid = 10'000;

class Maker {
 public:
  explicit Maker(Random& random) : random_(random) {}

  RandomBatch make() {
    envelope();
    if (one_in(20)) return std::move(made_);
    series();
    frames();
    for (size_t i = 0; i < made_.batch.frames.size(); ++i) points(i);
    split_a_tick();
    return std::move(made_);
  }

 private:
  bool one_in(uint64_t n) { return random_.below(n) == 0; }
  uint64_t below(uint64_t bound) { return random_.below(bound); }
  // Of any size, small ones as often as large ones.
  uint64_t any() { return random_.next() >> below(64); }
  std::string incarnation() {
    std::string bytes(metrics::kIncarnationBytes, '\0');
    random_.fill(bytes.data(), one_in(2) ? 8 : bytes.size());
    return bytes;
  }
  std::string word() {
    constexpr std::array<std::string_view, 8> kWords = {"sda", "sdb1", "eth0", "/", "/home/ä", "nvme0n1", "", "x"};
    std::string word(kWords[below(kWords.size())]);
    if (one_in(3)) word += fmt::to_string(below(1000));
    return word;
  }

  Drop drop() { return {word(), word(), any(), any(), any(), word(), incarnation(), any(), any(), time(), time()}; }
  int64_t time() {
    return one_in(5) ? 0 : kStart + static_cast<int64_t>(below(1'000'000'000)) * kGrid + (fine_ ? 7 : 0);
  }

  void envelope() {
    metrics::Envelope& e = made_.batch;
    fine_ = one_in(4);
    e.agent_id = fmt::format("agent-{:03}", below(1000));
    e.hostname = one_in(2) ? e.agent_id : word();
    e.incarnation = incarnation();
    e.sequence = 1 + below(uint64_t{1} << (1 + below(30)));
    e.config_revision = below(300);
    e.first_unacked = one_in(2) ? e.sequence : any();
    e.counters.ticks_due = one_in(2) ? e.sequence : any();
    e.counters.ticks_missed = one_in(3) ? any() : 0;
    e.counters.points_made = one_in(2) ? e.sequence * 8 : any();
    e.appended_ns = time();
    e.agent_version = one_in(3) ? word() : fmt::format("{}.{}.{}", below(3), below(70), below(70));
    e.send_every_ns = one_in(4) ? any() >> 1 : (1 + below(30)) * 100'000'000;
    e.final_batch = one_in(10);
    if (one_in(4)) e.resource = {{"rack", word()}, {"site", word()}};
    if (!one_in(4)) return;
    for (uint64_t i = below(3); i > 0; --i) e.counters.dropped.push_back({word(), word(), any(), any(), any(), word()});
    for (uint64_t i = below(3); i > 0; --i) e.drops.push_back(drop());
    for (uint64_t i = below(2); i > 0; --i) e.ended.push_back({incarnation(), any(), time(), one_in(2)});
    for (uint64_t i = below(2); i > 0; --i) e.older.push_back({incarnation(), any()});
    for (uint64_t i = below(2); i > 0; --i) e.elsewhere.push_back({incarnation(), word(), any(), any()});
  }

  void series() {
    auto& all = made_.batch.series;
    if (one_in(3)) {
      for (uint32_t i = 0; i < 8; ++i) all.push_back(table()[i].series);
      return;
    }
    uint64_t row = below(table().size());
    for (uint64_t i = 1 + below(40); i > 0; --i) {
      if (!all.empty() && one_in(4)) {  // the last one again, with other values of some labels
        Series again = all.back();
        for (auto& [key, value] : again.labels) {
          if (one_in(2)) value = word();
        }
        all.push_back(std::move(again));
        continue;
      }
      if (one_in(4)) {
        all.push_back(literal());
        continue;
      }
      row = (one_in(3) ? below(table().size()) : row + 1) % table().size();
      std::vector<std::string> values;
      for (size_t slot = 0; slot < table()[row].slots.size(); ++slot) values.push_back(word());
      all.push_back(series_of(table()[row], values));
    }
    // A list of series has no two that are equal.
    std::vector<Series> unique;
    for (const Series& one : all) {
      if (std::ranges::find(unique, one) == unique.end()) unique.push_back(one);
    }
    all = std::move(unique);
  }

  Series literal() {
    Series series{fmt::format("custom.{}{}", word(), below(5)), {}, one_in(2) ? "1" : "By/s"};
    series.kind = one_in(3) ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = one_in(2);
    if (series.integer && one_in(2)) series.exponent = static_cast<int>(below(37)) - 18;
    for (uint64_t i = below(4); i > 0; --i) metrics::set_label(series.labels, "k" + fmt::to_string(i), word());
    return series;
  }

  void frames() {
    Batch& batch = made_.batch;
    const size_t count = one_in(2) ? 1 : 1 + below(12);
    const bool explains = one_in(2);
    int64_t now = kStart + static_cast<int64_t>(below(1'000'000'000)) * kGrid;
    int64_t before = now - static_cast<int64_t>(batch.send_every_ns % 1'000'000'000'000 / kGrid * kGrid);
    if (one_in(10)) before = 0;
    for (size_t i = 0; i < count; ++i) {
      batch.frames.push_back({now, before, {}});
      if (explains) made_.elapsed_ns.push_back(before == 0 ? 0 : now - before + static_cast<int64_t>(below(3)) * kGrid);
      before = one_in(10) ? 0 : now;
      now += (100'000 + static_cast<int64_t>(below(20))) * kGrid + (fine_ ? static_cast<int64_t>(below(1000)) : 0);
      if (one_in(30)) now -= 3'600'000'000'000;
    }
    if (one_in(2)) batch.appended_ns = batch.frames.back().time_ns + static_cast<int64_t>(below(100)) * kGrid;
  }

  // The series in order, without some of them, or in any order and some of them twice.
  std::vector<uint32_t> order() {
    std::vector<uint32_t> list;
    const bool leaves_out = one_in(5);
    for (uint32_t i = 0; i < made_.batch.series.size(); ++i) {
      if (!leaves_out || !one_in(6)) list.push_back(i);
    }
    if (list.empty()) list.push_back(0);
    if (one_in(15)) {
      std::swap(list.front(), list.back());
      list.push_back(list[below(list.size())]);
    }
    return list;
  }

  void points(size_t number) {
    Frame& frame = made_.batch.frames[number];
    if (state_.empty()) {
      for (size_t i = 0; i < made_.batch.series.size(); ++i) {
        state_.push_back({one_in(4) ? any() >> 1 : 1000 + below(1'000'000), one_in(8), below(7)});
      }
    }
    const int64_t elapsed = made_.elapsed_ns.empty() ? frame.time_ns - frame.rates_since_ns : made_.elapsed_ns[number];
    std::array<int64_t, 2> parts{};
    for (const uint32_t index : order()) {
      const Series& series = made_.batch.series[index];
      Point point{.series = index};
      if (!series.integer) {
        point.real = real(state_[index]);
      } else {
        const uint32_t row = row_of(series);
        point.integer = integer(state_[index], row != kNoRow ? table()[row] : Row(), elapsed);
        if (series.name == "system.memory.usage") parts[0] = point.integer;
        if (series.name == "system.memory.limit") parts[1] = point.integer;
      }
      frame.points.push_back(point);
    }
    for (Point& point : frame.points) {
      if (made_.batch.series[point.series].name != "system.memory.utilization" || one_in(50)) continue;
      point.integer = share_of(parts[0], parts[1]).value_or(5);
    }
  }

  struct State {
    uint64_t value = 0;
    bool odd = false;  // not as a kernel's
    uint64_t decimals = 0;
  };

  int64_t integer(State& state, const Row& row, int64_t elapsed) {
    if (state.odd || one_in(200)) return static_cast<int64_t>(any()) * (one_in(3) ? -1 : 1);
    if (!one_in(4)) state.value += below(300) - 100;
    state.value &= INT64_MAX >> 14;
    Form form = row.form == Form::kShare ? Form::kCount : row.form;
    if (form == Form::kPageRate && state.decimals == 0) form = Form::kSectorRate;
    const uint64_t growth = one_in(2) ? 0 : below(5000);
    return value_of(form, is_rate(form) ? growth : state.value, elapsed).value_or(0);
  }

  double real(State& state) {
    if (state.odd) return std::bit_cast<double>(random_.next());
    if (one_in(100)) {
      constexpr std::array kOdd = {
          -0.0,     std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), 1e300, 5e-324,
          0.1 + 0.2};
      return kOdd[below(kOdd.size())];
    }
    state.value += below(300) - 100;
    return static_cast<double>(static_cast<int64_t>(state.value % 1'000'000)) /
           std::pow(10, static_cast<double>(state.decimals));
  }

  // Splits the last frame into two of the same time.
  void split_a_tick() {
    Batch& batch = made_.batch;
    if (!one_in(10) || batch.frames.back().points.size() < 2) return;
    Frame rest = batch.frames.back();
    const auto half = static_cast<std::ptrdiff_t>(rest.points.size() / 2);
    batch.frames.back().points.resize(static_cast<size_t>(half));
    rest.points.erase(rest.points.begin(), rest.points.begin() + half);
    rest.continued = true;
    batch.frames.push_back(std::move(rest));
    if (!made_.elapsed_ns.empty()) made_.elapsed_ns.push_back(made_.elapsed_ns.back());
  }

  Random& random_;
  RandomBatch made_;
  bool fine_ = false;  // times that are not on the grid
  std::vector<State> state_;
};

using Json = nlohmann::ordered_json;

Json json_of(const metrics::Labels& labels) {
  Json json = Json::array();
  for (const auto& [key, value] : labels) json.push_back({key, value});
  return json;
}

Json json_of(const Drop& d) {
  return {d.stage,          d.reason,        d.plugin,        d.batches,     d.ticks, d.points, hex(d.incarnation),
          d.first_sequence, d.last_sequence, d.first_time_ns, d.last_time_ns};
}

}  // namespace

RandomBatch random_batch(Random& random) { return Maker(random).make(); }

std::string exact_text(const Batch& b) {
  Json json = {{"agent", b.agent_id},
               {"host", b.hostname},
               {"incarnation", hex(b.incarnation)},
               {"sequence", b.sequence},
               {"config_revision", b.config_revision},
               {"resource", json_of(b.resource)},
               {"first_unacked", b.first_unacked},
               {"ticks_due", b.counters.ticks_due},
               {"ticks_missed", b.counters.ticks_missed},
               {"points_made", b.counters.points_made},
               {"appended", b.appended_ns},
               {"agent_version", b.agent_version},
               {"send_every", b.send_every_ns},
               {"final", b.final_batch}};
  for (const char* const list : {"dropped", "drops", "ended", "older", "elsewhere", "series", "frames"})
    json[list] = Json::array();
  for (const Drop& one : b.counters.dropped) json["dropped"].push_back(json_of(one));
  for (const Drop& one : b.drops) json["drops"].push_back(json_of(one));
  for (const auto& one : b.ended)
    json["ended"].push_back({hex(one.incarnation), one.last_sequence, one.last_time_ns, one.clean});
  for (const auto& one : b.older) json["older"].push_back({hex(one.incarnation), one.first_unacked});
  for (const auto& one : b.elsewhere) {
    json["elsewhere"].push_back({hex(one.incarnation), one.log, one.first_sequence, one.last_sequence});
  }
  // A batch without frames has no use for series, and a record without frames has none.
  if (b.frames.empty()) return json.dump();
  for (const Series& one : b.series) {
    json["series"].push_back(
        {one.name, json_of(one.labels), one.unit, static_cast<int>(one.kind), one.integer, one.exponent});
  }
  for (const Frame& frame : b.frames) {
    Json points = Json::array();
    for (const Point& point : frame.points) {
      Json value = point.integer;
      if (!b.series[point.series].integer) value = fmt::format("{:016x}", std::bit_cast<uint64_t>(point.real));
      points.push_back({point.series, value});
    }
    json["frames"].push_back({frame.time_ns, frame.rates_since_ns, frame.continued, points});
  }
  return json.dump();
}

}  // namespace monitor::payload
