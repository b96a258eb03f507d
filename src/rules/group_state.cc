#include "rules/group_state.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "base/protowire.h"

namespace monitor::rules {

namespace {

using protowire::put_fixed64;
using protowire::put_varint;

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

void put_pairs(std::string& out, const std::vector<std::pair<std::string, std::string>>& pairs) {
  put_varint(out, pairs.size());
  for (const auto& [name, value] : pairs) {
    put_text(out, name);
    put_text(out, value);
  }
}

// Reads what the functions above wrote. After a fault, everything is empty and good() is false.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    return fail();
  }

  uint64_t fixed64() {
    if (bytes_.size() < 8) return fail();
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
    bytes_.remove_prefix(8);
    return value;
  }

  std::string text() {
    const uint64_t size = varint();
    if (size > bytes_.size()) {
      fail();
      return {};
    }
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }

  // A number of elements, each of which takes at least one byte.
  size_t count() {
    const uint64_t value = varint();
    return value <= bytes_.size() ? value : fail();
  }

  std::vector<std::pair<std::string, std::string>> pairs() {
    std::vector<std::pair<std::string, std::string>> all(count());
    for (auto& [name, value] : all) {
      name = text();
      value = text();
    }
    return all;
  }

 private:
  uint64_t fail() {
    good_ = false;
    bytes_ = {};
    return 0;
  }

  std::string_view bytes_;
  bool good_ = true;
};

Error damaged(const char* what) {
  return {Code::kDataLoss, std::string("the stored ") + what + " of a rule cannot be decoded"};
}

constexpr uint64_t kVersion = 1;

}  // namespace

std::string encode_labels(const query::Labels& labels) {
  std::string out;
  put_pairs(out, labels.pairs());
  return out;
}

Result<query::Labels> decode_labels(std::string_view bytes) {
  Input input(bytes);
  auto pairs = input.pairs();
  if (!input.good() || !input.at_end()) return damaged("labels");
  return query::Labels(std::move(pairs));
}

std::string encode_alerts(const AlertMap& alerts) {
  std::string out;
  put_varint(out, kVersion);
  put_varint(out, alerts.size());
  for (const auto& [labels, active] : alerts) {
    const Alert& alert = active.alert;
    put_pairs(out, labels.pairs());
    put_pairs(out, alert.annotations);
    put_varint(out, static_cast<uint64_t>(alert.state));
    put_fixed64(out, std::bit_cast<uint64_t>(alert.value));
    for (const int64_t time : {alert.active_at_ms, alert.fired_at_ms, alert.resolved_at_ms, active.absent_since_ms}) {
      put_varint(out, protowire::zigzag(time));
    }
  }
  return out;
}

Result<AlertMap> decode_alerts(std::string_view bytes) {
  Input input(bytes);
  if (input.varint() != kVersion) return damaged("alerts");
  AlertMap alerts;
  for (size_t left = input.count(); left > 0 && input.good(); --left) {
    ActiveAlert active;
    active.alert.labels = query::Labels(input.pairs());
    active.alert.annotations = input.pairs();
    const uint64_t state = input.varint();
    if (state > static_cast<uint64_t>(AlertState::kResolved)) return damaged("alerts");
    active.alert.state = static_cast<AlertState>(state);
    active.alert.value = std::bit_cast<double>(input.fixed64());
    for (int64_t* const time : {&active.alert.active_at_ms, &active.alert.fired_at_ms, &active.alert.resolved_at_ms,
                                &active.absent_since_ms}) {
      *time = protowire::unzigzag(input.varint());
    }
    query::Labels labels = active.alert.labels;
    alerts.emplace(std::move(labels), std::move(active));
  }
  if (!input.good() || !input.at_end()) return damaged("alerts");
  return alerts;
}

std::string encode_series(const SeriesSet& series) {
  std::string out;
  put_varint(out, series.size());
  for (const query::Labels& labels : series) put_pairs(out, labels.pairs());
  return out;
}

Result<SeriesSet> decode_series(std::string_view bytes) {
  Input input(bytes);
  SeriesSet series;
  for (size_t left = input.count(); left > 0 && input.good(); --left) series.insert(query::Labels(input.pairs()));
  if (!input.good() || !input.at_end()) return damaged("series");
  return series;
}

}  // namespace monitor::rules
