#include "ui/aggregate/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

std::string time_text(int64_t ns) { return format_rfc3339(ns, ns % kNanosPerSecond == 0 ? 0 : 9); }

std::string short_number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.6g}", value); }

// Counts of rows are small; only characters that are not control characters or combining ones occur in most names.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

// The text of a time. Rows of the same window follow one another.
class TimeText {
 public:
  const std::string& of(int64_t ns) {
    if (text_.empty() || ns != ns_) text_ = time_text(ns);
    ns_ = ns;
    return text_;
  }

 private:
  int64_t ns_ = 0;
  std::string text_;
};

struct WindowText {
  TimeText start;
  TimeText end;
};

void append_row_json(const AggregateSpec& spec, const AggregateRow& row, WindowText& window, std::string& text) {
  const auto quoted = [&text](const char* before, const std::string& value) {
    text += before;
    text += json_quote(value);
  };
  quoted("{\"aggregate\":", spec.name);
  text += ",\"start\":\"";
  text += window.start.of(row.start_ns);
  text += "\",\"end\":\"";
  text += window.end.of(row.end_ns);
  text += '"';
  quoted(",\"metric\":", row.group.metric);
  quoted(",\"unit\":", row.group.unit);
  text += ",\"by\":{";
  for (size_t i = 0; i < row.group.by.size(); ++i) {
    quoted(i > 0 ? "," : "", row.group.by[i].first);
    quoted(":", row.group.by[i].second);
  }
  text += "},\"revision\":" + std::to_string(row.revision) + ",\"complete\":" + (row.complete ? "true" : "false");
  text += ",\"stats\":{";
  for (size_t i = 0; i < spec.stats.size(); ++i) {
    quoted(i > 0 ? "," : "", spec.stats[i].name);
    text += ':';
    text += json_number(row.values[i]);
  }
  text += "}}";
}

}  // namespace

std::string row_json(const AggregateSpec& spec, const AggregateRow& row) {
  std::string text;
  WindowText window;
  append_row_json(spec, row, window, text);
  return text;
}

std::string RowPrinter::print(std::span<const AggregateRow> rows) {
  if (rows.empty()) return "";
  if (format_ == Format::kTable) return table(rows);
  if (format_ == Format::kCsv) return csv(rows);
  std::string text;
  WindowText window;
  for (const AggregateRow& row : rows) {
    append_row_json(spec_, row, window, text);
    text += '\n';
  }
  return text;
}

std::string RowPrinter::csv(std::span<const AggregateRow> rows) {
  std::string text;
  if (!std::exchange(header_done_, true)) {
    text = "start,end,metric,unit";
    for (const Dimension& one : spec_.by) text += "," + csv_field(one.name);
    text += ",revision,complete";
    for (const Stat& stat : spec_.stats) text += "," + stat.name;
    text += "\n";
  }
  for (const AggregateRow& row : rows) {
    text += fmt::format("{},{},{},{}", time_text(row.start_ns), time_text(row.end_ns), csv_field(row.group.metric),
                        csv_field(row.group.unit));
    for (const std::string& column : row.group.columns) text += "," + csv_field(column);
    text += fmt::format(",{},{}", row.revision, row.complete);
    for (const double value : row.values) {
      const std::string number = json_number(value);
      text += "," + (number == "null" ? "" : number);
    }
    text += "\n";
  }
  return text;
}

std::vector<std::string> RowPrinter::table_head() const {
  std::vector<std::string> head = {"WINDOW"};
  const auto upper = [](std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return text;
  };
  for (const Dimension& one : spec_.by) head.push_back(upper(one.name));
  head.emplace_back("METRIC");
  for (const Stat& stat : spec_.stats) head.push_back(upper(stat.name));
  head.emplace_back("NOTE");
  return head;
}

std::vector<std::string> RowPrinter::table_cells(const AggregateRow& row) const {
  std::vector<std::string> cells = {time_text(row.start_ns)};
  for (const std::string& column : row.group.columns) cells.push_back(column.empty() ? "-" : printable(column));
  const std::string unit = row.group.unit.empty() || row.group.unit == "1" ? "" : " (" + row.group.unit + ")";
  cells.push_back(printable(row.group.metric + unit));
  for (const double value : row.values) cells.push_back(short_number(value));
  std::string note = row.revision > 0 ? fmt::format("correction {}", row.revision) : "";
  if (!row.complete) note += note.empty() ? "incomplete" : ", incomplete";
  cells.push_back(note);
  return cells;
}

std::string RowPrinter::table(std::span<const AggregateRow> rows) {
  const std::vector<std::string> head = table_head();
  std::vector<std::vector<std::string>> lines;
  widths_.resize(head.size());
  bool wider = false;
  const auto measure = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i + 1 < cells.size(); ++i) {
      wider = wider || width_of(cells[i]) > widths_[i];
      widths_[i] = std::max(widths_[i], width_of(cells[i]));
    }
  };
  measure(head);
  wider = false;
  for (const AggregateRow& row : rows) {
    lines.push_back(table_cells(row));
    measure(lines.back());
  }
  // Columns only grow, so a header that no longer stands above its column is rare.
  bool header_due = !header_done_ || wider;
  const size_t first_number = 2 + spec_.by.size();
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i + 1 < cells.size(); ++i) line += padded(cells[i], widths_[i], i >= first_number) + "  ";
    line += cells.back();
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  for (const auto& line : lines) {
    if (header_due || (header_every_ > 0 && rows_ >= header_every_)) {
      add(head);
      rows_ = 0;
      header_due = false;
      header_done_ = true;
    }
    add(line);
    ++rows_;
  }
  return text;
}

}  // namespace monitor::analysis
