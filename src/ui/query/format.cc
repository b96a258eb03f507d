#include "ui/query/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/escape.h"
#include "base/time_format.h"
#include "query/json.h"
#include "ui/query/plot.h"

namespace monitor::analysis {
namespace {

using query::Point;
using query::QueryResult;
using query::ResultSeries;

// Labels come from elsewhere: a terminal must not obey them.
std::string name_of(const ResultSeries& series) { return printable(series.labels.to_string()); }

std::string time_text(int64_t ms) { return format_rfc3339(ms * 1'000'000, 3); }

std::string csv(const QueryResult& result) {
  std::string text = "time,series,value\n";
  for (const ResultSeries& series : result.series) {
    const std::string name = csv_field(series.labels.to_string());
    for (const Point& point : series.points) {
      text += fmt::format("{},{},{}\n", time_text(point.time_ms), name, query::value_text(point.value));
    }
  }
  return text;
}

struct Summary {
  double least = 0;
  double mean = 0;
  double most = 0;
};

// NaN counts only where there is nothing else.
Summary summarize(const std::vector<Point>& points) {
  Summary summary{std::nan(""), std::nan(""), std::nan("")};
  double sum = 0;
  size_t count = 0;
  for (const Point& point : points) {
    if (std::isnan(point.value)) continue;
    summary.least = count == 0 ? point.value : std::min(summary.least, point.value);
    summary.most = count == 0 ? point.value : std::max(summary.most, point.value);
    sum += point.value;
    ++count;
  }
  if (count > 0) summary.mean = sum / static_cast<double>(count);
  return summary;
}

// Ten digits: a mean has more, which say nothing.
std::string mean_text(double value) { return fmt::format("{:.10g}", value); }

std::string lines_of(std::vector<std::vector<std::string>> rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i) text += fmt::format("{:>{}}  ", row[i], widths[i]);
    text += row.back() + "\n";
  }
  return text;
}

std::string table(const QueryResult& result, bool range) {
  if (result.type == query::ValueType::kString) return printable(result.text) + "\n";
  const bool several = range || result.type == query::ValueType::kMatrix;
  std::vector<std::vector<std::string>> rows;
  if (several) {
    rows.push_back({"points", "min", "mean", "max", "last", "series"});
  } else {
    rows.push_back({"value", "series"});
  }
  for (const ResultSeries& series : result.series) {
    if (series.points.empty()) continue;
    if (!several) {
      rows.push_back({query::value_text(series.points[0].value), name_of(series)});
      continue;
    }
    const Summary summary = summarize(series.points);
    rows.push_back({std::to_string(series.points.size()), query::value_text(summary.least), mean_text(summary.mean),
                    query::value_text(summary.most), query::value_text(series.points.back().value), name_of(series)});
  }
  return lines_of(std::move(rows));
}

std::string plots(const QueryResult& result, const QueryPrint& print) {
  std::vector<Summary> summaries;
  size_t margin = 0;  // for the values of the top and the bottom; the same for all plots, so that times are aligned
  for (const ResultSeries& series : result.series) {
    summaries.push_back(summarize(series.points));
    for (const double value : {summaries.back().least, summaries.back().most}) {
      margin = std::max(margin, query::value_text(value).size());
    }
  }
  const size_t width = print.columns > margin + 1 ? print.columns - margin - 1 : 0;
  std::string text;
  for (size_t n = 0; n < result.series.size(); ++n) {
    text += fmt::format("{}\n", name_of(result.series[n]));
    const std::vector<std::string> lines =
        plot(result.series[n].points, {print.times.start_ms, print.times.end_ms, print.range ? print.times.step_ms : 0},
             width);
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string mark = i == 0                  ? query::value_text(summaries[n].most)
                               : i + 1 == lines.size() ? query::value_text(summaries[n].least)
                                                       : "";
      text += fmt::format("{:>{}} {}\n", mark, margin, lines[i]);
    }
    text +=
        fmt::format("{:>{}} {} .. {}\n\n", "", margin, time_text(print.times.start_ms), time_text(print.times.end_ms));
  }
  return text;
}

}  // namespace

std::string to_text(const QueryResult& result, const QueryPrint& print) {
  switch (print.format) {
    case QueryFormat::kJson:
      return query::to_json(result, print.times, print.range) + "\n";
    case QueryFormat::kCsv:
      return csv(result);
    case QueryFormat::kPlot:
      return plots(result, print);
    case QueryFormat::kTable:
      break;
  }
  return table(result, print.range);
}

}  // namespace monitor::analysis
