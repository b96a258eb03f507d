#include "bin/config/rollout_data.h"

#include <fmt/format.h>

#include <utility>

#include "bin/config/query_api.h"
#include "views/history/series_source.h"

namespace monitor {

namespace {

namespace history = analysis::history;

constexpr std::string_view kFile = "file:";

class FileData final : public query::SeriesSource {
 public:
  Status open(const std::string& path) {
    auto reader = history::HistoryReader::open(path);
    if (!reader) return reader.error().with_context("the history " + path);
    reader_ = std::move(*reader);
    if (auto facts = history::AgentFactsReader::open(history::facts_path(path))) facts_ = std::move(*facts);
    source_ = std::make_unique<history::HistorySource>(*reader_, history::SourceLimits(), facts_.get());
    return {};
  }
  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    return source_->select(matchers, from_ms, to_ms);
  }
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override {
    return source_->own_series(function, matchers, from_ms, to_ms);
  }
  void limit_bytes(size_t bytes) override { source_->limit_bytes(bytes); }

 private:
  std::unique_ptr<history::HistoryReader> reader_;
  std::unique_ptr<history::AgentFactsReader> facts_;  // nullptr: there are none
  std::unique_ptr<history::HistorySource> source_;
};

}  // namespace

Result<std::unique_ptr<query::SeriesSource>> open_rollout_data(const std::string& data, const std::string& token) {
  if (!data.starts_with(kFile)) return open_query_api(data, token);
  auto file = std::make_unique<FileData>();
  if (Status opened = file->open(data.substr(kFile.size())); !opened) return opened.error();
  return std::unique_ptr<query::SeriesSource>(std::move(file));
}

}  // namespace monitor
