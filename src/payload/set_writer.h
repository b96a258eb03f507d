// Writes the inline form of a series set, one series after the other. Internal to series_set.cc and tick_encoder.cc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/series.h"

namespace monitor::payload {

// The first number of an entry; larger ones are a row's number + kFirstRow.
inline constexpr uint64_t kLiteral = 0;
inline constexpr uint64_t kRun = 1;
inline constexpr uint64_t kAgain = 2;
inline constexpr uint64_t kFirstRow = 3;

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

// The series must stay where they are until finish(). Not thread-safe.
class SetWriter {
 public:
  // `row` is the series' row of the static table, or kNoRow.
  void add(const metrics::Series& series, uint32_t row);
  std::string finish();

 private:
  // An entry that is not written yet: rows from `first` on with the same values of slots, or a literal.
  struct Entry {
    uint32_t first = 0;
    uint32_t rows = 0;  // 0: a literal, or no entry
    const metrics::Series* series = nullptr;
    std::vector<std::string_view> values;  // of the slots, or of the literal's labels
  };

  bool joins(uint32_t row) const;
  void end_entry();
  bool is_again() const;
  void put_rows();
  void put_literal();
  void put_values();
  void end_repeats();
  void text(std::string_view now, std::string& last);

  std::string bytes_;
  LastTexts texts_;
  size_t count_ = 0;
  Entry entry_;
  std::vector<std::string_view> values_;  // of the series being added
  Entry written_;                         // the last one that was written in full
  size_t repeats_ = 0;                    // of it, whose texts are in repeated_
  std::string repeated_;
  std::string* out_ = &bytes_;  // where texts go
};

}  // namespace monitor::payload
