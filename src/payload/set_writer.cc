#include "payload/set_writer.h"

#include <algorithm>
#include <utility>

#include "payload/cursor.h"
#include "payload/series_set.h"
#include "payload/table.h"

namespace monitor::payload {

using protowire::put_varint;
using protowire::zigzag;

void SetWriter::add(const metrics::Series& series, uint32_t row) {
  ++count_;
  values_.clear();
  if (row == kNoRow) {
    for (const auto& [key, value] : series.labels) values_.emplace_back(value);
  } else {
    slot_values_of(table()[row], series, values_);
    if (joins(row)) {
      ++entry_.rows;
      return;
    }
  }
  end_entry();
  entry_.first = row;
  entry_.rows = row == kNoRow ? 0 : 1;
  entry_.series = &series;
  entry_.values.swap(values_);
}

bool SetWriter::joins(uint32_t row) const {
  return entry_.rows > 0 && row == entry_.first + entry_.rows && table()[row].slots == table()[entry_.first].slots &&
         values_ == entry_.values;
}

// Whether the entry differs from the written one in its values only, and has some.
bool SetWriter::is_again() const {
  if (written_.series == nullptr || entry_.values.empty() || entry_.rows != written_.rows) return false;
  if (entry_.rows > 0) return entry_.first == written_.first;
  const metrics::Series& now = *entry_.series;
  const metrics::Series& last = *written_.series;
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  return now.name == last.name && now.unit == last.unit && now.kind == last.kind && now.integer == last.integer &&
         now.exponent == last.exponent && std::ranges::equal(now.labels, last.labels, same_key);
}

void SetWriter::end_entry() {
  if (entry_.series == nullptr) return;
  if (is_again()) {
    ++repeats_;
    out_ = &repeated_;
    put_values();
    out_ = &bytes_;
    return;
  }
  end_repeats();
  entry_.rows > 0 ? put_rows() : put_literal();
  std::swap(written_, entry_);
}

void SetWriter::end_repeats() {
  if (repeats_ == 0) return;
  put_varint(bytes_, kAgain);
  put_varint(bytes_, repeats_);
  bytes_ += repeated_;
  repeated_.clear();
  repeats_ = 0;
}

void SetWriter::put_rows() {
  if (entry_.rows == 1) {
    put_varint(bytes_, kFirstRow + entry_.first);
  } else {
    put_varint(bytes_, kRun);
    put_varint(bytes_, entry_.first);
    put_varint(bytes_, entry_.rows);
  }
  put_values();
}

// The values of slots, or of a literal's labels.
void SetWriter::put_values() {
  for (size_t i = 0; i < entry_.values.size(); ++i) {
    const std::string& key = entry_.rows > 0 ? table()[entry_.first].slots[i] : entry_.series->labels[i].first;
    text(entry_.values[i], texts_.of(key));
  }
}

void SetWriter::put_literal() {
  const metrics::Series& series = *entry_.series;
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

void SetWriter::text(std::string_view now, std::string& last) {
  const auto [differs, at] = std::ranges::mismatch(now, last);
  const auto common = static_cast<size_t>(differs - now.begin());
  put_varint(*out_, common);
  put_text(*out_, now.substr(common));
  last = now;
}

std::string SetWriter::finish() {
  end_entry();
  end_repeats();
  std::string out;
  put_varint(out, count_);
  return out + bytes_;
}

}  // namespace monitor::payload
