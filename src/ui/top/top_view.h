// The content of `monitor-analysis top` as lines of text, and its reaction to keys. Needs no terminal, so tests can
// check it. Builds only visible lines. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ui/top/cells.h"
#include "ui/top/table.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

// Keys that are not characters.
enum Key : int { kUp = 0x110000, kDown, kPageUp, kPageDown, kHome, kEnd, kLeft, kRight, kEnter, kEscape, kBackspace };

class TopView {
 public:
  explicit TopView(bool utf8) : utf8_(utf8) {}

  // Returns false if the user quits.
  bool key(int key);
  bool paused() const { return paused_; }
  void set_trouble(const std::string& text) { trouble_ = text; }
  void set_servers(const Servers& servers) { servers_ = servers; }
  // Exactly `size.rows` lines, none wider than `size.columns`.
  std::vector<Line> draw(const Fleet& fleet, int64_t now_ns, Size size);

 private:
  enum class Mode { kTable, kDetail, kHelp, kFilter };
  void choose(const std::vector<Row>& rows);
  void table(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines);
  void detail(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines);
  void help(std::vector<Line>& lines) const;
  Line foot() const;
  bool filter_key(int key);
  bool mode_key(int key);
  bool sort_key(int key);
  void turn_sort(size_t by);
  void move_key(int key);
  void move(int by);

  const bool utf8_;
  Mode mode_ = Mode::kTable;
  Mode before_help_ = Mode::kTable;
  TableOrder order_;
  bool paused_ = false;
  std::string chosen_;  // an agent's id; empty: the agent in row place_, once drawn
  long place_ = 0;      // its row in the table
  long scroll_ = 0;     // first visible row of the table, or line of the detail
  long page_ = 20;
  std::vector<std::string> drawn_;  // ids of agents, in the order last drawn
  std::string trouble_;
  Servers servers_;
};

}  // namespace monitor::analysis::top
