#include "metriclog/sqlite/record_rows.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <utility>

namespace monitor::metriclog::sqlite {

namespace {

Headers::Pairs parse_headers(std::string_view text) {
  Headers::Pairs headers;
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return headers;  // whoever decodes the record will report the missing headers
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) headers.emplace_back(name, value.get<std::string>());
  }
  return headers;
}

class RowHeaders final : public Headers::Source {
 public:
  explicit RowHeaders(std::string json) : json_(std::move(json)) {}
  Headers::Pairs read() const override { return parse_headers(json_); }

 private:
  std::string json_;
};

}  // namespace

Record record_of(const Statement& row) {
  Record record{.partition = 0, .offset = row.integer(0), .time_ns = row.integer(1)};
  record.key = row.bytes(2);
  record.headers = Headers(std::make_shared<RowHeaders>(std::string(row.bytes(3))));
  record.value = row.bytes(4);
  return record;
}

Result<int64_t> end_offset(Database& db) {
  return db.integer("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'records'", 1);
}

Result<int64_t> first_offset(Database& db) {
  auto end = end_offset(db);
  if (!end) return end;
  return db.integer("SELECT offset FROM records ORDER BY offset LIMIT 1", *end);
}

Result<int64_t> first_since(Database& db, int64_t time_ns) {
  auto first = db.integer("SELECT ifnull(min(offset), 1) FROM records");
  if (!first) return first;
  auto last = db.integer("SELECT ifnull(max(offset), 0) FROM records");
  if (!last) return last;
  int64_t low = *first;
  int64_t high = *last + 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const auto time = db.integer("SELECT time_ns FROM records WHERE offset >= " + std::to_string(middle) +
                                 " ORDER BY offset LIMIT 1");
    if (!time) return time;
    if (*time < time_ns) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace monitor::metriclog::sqlite
