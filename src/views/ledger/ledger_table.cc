#include "views/ledger/ledger_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/counted.h"
#include "base/escape.h"
#include "base/hex.h"
#include "base/saturating.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

constexpr size_t kWidth = 100;
constexpr size_t kAgentWidth = 16;
constexpr size_t kHostWidth = 13;
constexpr const char* kIndent = "    ";

std::string time_text(int64_t ns) { return ns == 0 ? "-" : format_rfc3339(ns, 0); }

std::string sequences_text(const LedgerRow& row) {
  return row.batches_stored == 0 ? "-" : fmt::format("{}-{}", row.first_sequence, row.last_sequence);
}

// "missing    17-19, 25", truncated when the line is full.
std::string ranges_line(const char* what, const Ranges& ranges) {
  if (ranges.empty()) return "";
  constexpr size_t kRoomForMore = 16;
  std::string line = fmt::format("{}{:<10}", kIndent, what);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto& [first, last] = ranges[i];
    const std::string one = first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
    if (line.size() + one.size() + 2 > kWidth - kRoomForMore && i > 0) {
      line += fmt::format(", {} more", ranges.size() - i);
      break;
    }
    line += (i == 0 ? " " : ", ") + one;
  }
  return line + "\n";
}

std::string end_line(const LedgerRow& row) {
  if (row.end == LedgerRow::End::kUnclean) {
    return fmt::format("{}unclean end: at most the sync window and the open batch are unknown\n", kIndent);
  }
  if (row.end == LedgerRow::End::kUnknown) {
    return fmt::format("{}unknown tail: silent, and no end is reported; batches after {} are unknown\n", kIndent,
                       time_text(row.last_time_ns));
  }
  return "";
}

std::string conflict_lines(const LedgerRow& row) {
  constexpr size_t kMost = 4;
  std::string out;
  for (size_t i = 0; i < std::min(kMost, row.conflict_examples.size()); ++i) {
    const Conflict& one = row.conflict_examples[i];
    out += fmt::format("{}conflict   batch {} at offset {} of partition {}: ", kIndent, one.sequence, one.offset,
                       row.partition);
    out += one.first_offset < 0 ? printable(one.why) + "\n" : fmt::format("differs from offset {}\n", one.first_offset);
  }
  if (row.conflicts > kMost) out += fmt::format("{}conflict   {} more\n", kIndent, row.conflicts - kMost);
  if (row.outlived_end) {
    out += fmt::format("{}conflict   batches are stored after the reported end of the run\n", kIndent);
  }
  return out;
}

std::string row_text(const LedgerRow& row) {
  const std::string agent = printable(row.agent);
  const std::string host = printable(row.host);
  std::string out;
  std::string name = agent;
  if (name.size() > kAgentWidth) {
    out += name + "\n";
    name.clear();
  }
  out += fmt::format("{:<16} {:<13} {:>15} {:>8} {:>5} {:>5} {:>7} {:>7} {:>7}  {}\n", name,
                     host.size() > kHostWidth ? "" : host, sequences_text(row), row.batches_stored, row.duplicates,
                     row.conflicts, dropped_batches(row), count(row.expired), count(row.missing), to_string(row.end));
  out += fmt::format("{}{}  {} to {}\n", kIndent, hex(row.incarnation), time_text(row.first_time_ns),
                     time_text(row.last_time_ns));
  if (host.size() > kHostWidth) out += fmt::format("{}host {}\n", kIndent, host);
  out += fmt::format("{}ticks: {} due, {} missed, {} late; points: {} made, {} stored\n", kIndent, row.ticks_due,
                     row.ticks_missed, row.late_ticks, row.points_made, row.points_stored);
  for (const metrics::Drop& total : row.dropped) {
    const std::string plugin = total.plugin.empty() ? "" : " by " + printable(total.plugin);
    out += fmt::format("{}dropped    {}/{}{}: {}, {}\n", kIndent, printable(total.stage), printable(total.reason),
                       plugin, counted(total.batches, "batch", "batches"), counted(total.points, "point"));
  }
  out += ranges_line("missing", row.missing) + ranges_line("elsewhere", row.elsewhere);
  for (const std::string& log : row.other_logs) out += fmt::format("{}in the log {}\n", kIndent, printable(log));
  out += ranges_line("expired", row.expired) + ranges_line("waiting", row.waiting);
  out += conflict_lines(row) + end_line(row);
  if (row.conflict)
    out += fmt::format("{}conflict: another run of this agent id was alive at the same time\n", kIndent);
  return out;
}

}  // namespace

std::string to_table(const std::vector<LedgerRow>& rows) {
  std::string out = fmt::format("{:<16} {:<13} {:>15} {:>8} {:>5} {:>5} {:>7} {:>7} {:>7}  {}\n", "AGENT", "HOST",
                                "SEQUENCES", "STORED", "TWICE", "CONFL", "DROPPED", "EXPIRED", "MISSING", "END");
  std::set<std::string_view> agents;
  uint64_t missing = 0;
  uint64_t elsewhere = 0;
  uint64_t conflicts = 0;
  size_t outlived = 0;
  for (const LedgerRow& row : rows) {
    out += row_text(row);
    agents.insert(row.agent);
    add_saturating(missing, count(row.missing));
    add_saturating(elsewhere, count(row.elsewhere));
    add_saturating(conflicts, row.conflicts);
    if (row.outlived_end) ++outlived;
  }
  out += fmt::format("{} of {}; ", counted(rows.size(), "run"), counted(agents.size(), "agent"));
  out += missing == 0 ? "nothing is missing" : counted(missing, "batch is missing", "batches are missing");
  if (elsewhere > 0) out += fmt::format(", {} went to another log", elsewhere);
  if (conflicts > 0) out += fmt::format(", {} conflict with what is counted", conflicts);
  if (outlived > 0) out += fmt::format(", {} continued after the reported end", outlived);
  return out + "\n";
}

}  // namespace monitor::analysis
