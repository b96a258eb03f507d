#include "config/file/file_trail.h"

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "config/file/file_reader.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

// Above the largest trail: kMostTrailBytes of texts, doubled by escaping, and the records of a change.
constexpr size_t kMostFileBytes = 4 * kMostTrailBytes + 2 * kMostRecordBytes;
constexpr std::string_view kFolder = "history/";

std::string base_of(const std::string& key) {
  const std::string path = path_of_key(key);
  return std::string(kFolder) + path.substr(0, path.size() - ending_of_key(key).size());
}

// Records of the lines, in the order of their numbers; others are skipped.
std::vector<ChangeRecord> parse_lines(const std::string& file, std::string_view text) {
  std::vector<ChangeRecord> records;
  size_t damaged = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    auto record = parse_record(line);
    if (record && (records.empty() || records.back().number < record->number)) {
      records.push_back(std::move(*record));
    } else {
      ++damaged;
    }
  }
  if (damaged > 0) log_warning("damaged lines of a history skipped", {{"file", file}, {"lines", damaged}});
  return records;
}

std::string lines_of(const std::vector<ChangeRecord>& records) {
  std::string text;
  for (const ChangeRecord& record : records) text += to_json(record) + "\n";
  return text;
}

}  // namespace

FileTrail::FileTrail(Disk& disk, std::string folder, const std::string& key)
    : disk_(disk), folder_(std::move(folder)), trail_(base_of(key) + ".jsonl"), pending_(base_of(key) + ".pending") {}

Result<std::vector<ChangeRecord>> FileTrail::read(const std::optional<std::string>& current) {
  std::vector<ChangeRecord> records;
  unsettled_ = false;
  for (const std::string& file : {trail_, pending_}) {
    const auto text = disk_.read_beneath(folder_, file, kMostFileBytes);
    if (!text && text.error().code() == Code::kNotFound) continue;
    if (!text && text.error().code() == Code::kResourceExhausted) {
      log_warning("history ignored", {{"reason", text.error()}});
      continue;
    }
    if (!text) return text.error();
    auto found = parse_lines(folder_ + "/" + file, *text);
    if (file == pending_ && (found.empty() || !found.back().matches(current))) continue;
    for (ChangeRecord& record : found) {
      if (!records.empty() && records.back().number >= record.number) continue;
      records.push_back(std::move(record));
      unsettled_ = unsettled_ || file == pending_;
    }
  }
  return records;
}

Status FileTrail::begin(const std::vector<ChangeRecord>& records, const TrailStep& step) {
  std::vector<ChangeRecord> next;
  for (const ChangeRecord& record : records) {
    if (record.number > step.dropped_through) next.push_back(record);
  }
  for (const ChangeRecord& record : step.added) next.push_back(record);
  next_ = lines_of(next);
  // Records that an earlier change could not move must not be lost with the file that the next line replaces.
  if (unsettled_) {
    if (Status settled = disk_.write_beneath(folder_, trail_, lines_of(records)); !settled) return settled;
    unsettled_ = false;
  }
  return disk_.write_beneath(folder_, pending_, lines_of(step.added));
}

void FileTrail::finish() {
  Status done = disk_.write_beneath(folder_, trail_, next_);
  if (done) done = disk_.remove_beneath(folder_, pending_);
  if (!done) log_warning("the record of a change stays pending", {{"reason", done.error()}});
}

void FileTrail::cancel() {
  if (const Status done = disk_.remove_beneath(folder_, pending_); !done) {
    log_warning("the record of a change that was not made cannot be removed", {{"reason", done.error()}});
  }
}

}  // namespace monitor::config
