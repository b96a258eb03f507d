// What `monitor-analysis top` shows, as lines of text, and what keys do to it: without a terminal, so that tests read
// it. Not thread-safe. Bounded by the screen: only lines in sight are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

// Keys beside characters.
enum Key : int { kUp = 0x110000, kDown, kPageUp, kPageDown, kHome, kEnd, kLeft, kRight, kEnter, kEscape, kBackspace };

enum class Paint { kPlain, kDim, kBold, kReverse, kGood, kWarn, kBad };
struct Span {
  std::string text;  // UTF-8
  Paint paint = Paint::kPlain;
};
using Line = std::vector<Span>;

struct Size {
  size_t columns = 80;
  size_t rows = 24;
};

// A line of blocks for values, the newest at the right; characters of plain ASCII where the terminal has no others.
std::string sparkline(const std::vector<float>& values, size_t columns, float top, bool utf8);

class View {
 public:
  explicit View(bool utf8) : utf8_(utf8) {}

  // False: it is left.
  bool key(int key);
  bool paused() const { return paused_; }
  void set_trouble(const std::string& text) { trouble_ = text; }
  void set_servers(const Servers& servers) { servers_ = servers; }
  // Exactly `size.rows` lines, none wider than `size.columns`.
  std::vector<Line> draw(const Fleet& fleet, int64_t now_ns, Size size);

 private:
  enum class Mode { kTable, kDetail, kHelp, kFilter };
  struct Row {
    const LiveAgent* agent;
    Verdict verdict;
    Figures figures;
  };

  std::vector<Row> rows_of(const Fleet& fleet, int64_t now_ns) const;
  void choose(const std::vector<Row>& rows);
  void table(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines);
  Line row(const Row& row, int64_t now_ns, size_t width, bool chosen) const;
  Line totals(const std::vector<Row>& rows, size_t width) const;
  Line header(size_t width) const;
  template <typename PastOf>
  std::string figures(const Figures& now, size_t spark, const PastOf& past) const;
  void detail(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines);
  void values_of(const LiveAgent& agent, Size size, std::vector<Line>& lines);
  void help(std::vector<Line>& lines) const;
  Line foot() const;
  bool filter_key(int key);
  bool mode_key(int key);
  bool sort_key(int key);
  void move_key(int key);
  void move(int by);

  const bool utf8_;
  Mode mode_ = Mode::kTable;
  Mode before_help_ = Mode::kTable;
  size_t sort_ = 1;
  bool down_ = false;
  bool paused_ = false;
  std::string filter_;
  std::string chosen_;  // an agent's id; empty: the one at place_ when the order is known
  long place_ = 0;      // of it in the table
  long scroll_ = 0;     // of the table, or of the detail
  long page_ = 20;
  std::vector<std::string> order_;  // agents as last drawn
  std::string trouble_;
  Servers servers_;
};

}  // namespace monitor::analysis::top
