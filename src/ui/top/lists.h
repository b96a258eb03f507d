// Two small views of `top`: the list of alerts, and the choice of columns. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "ui/top/columns.h"
#include "ui/top/keys.h"
#include "ui/top/list_cursor.h"
#include "ui/top/scene.h"

namespace monitor::analysis::top {

class AlertsView {
 public:
  bool key(int key) { return cursor_.key(key); }
  // Returns true if the user opens the agent of the selected alert.
  bool mouse(const Mouse& mouse);
  // The agent of the selected alert; empty: there is none.
  const std::string& agent() const { return agent_; }
  void draw(const Scene& scene, std::vector<Line>& lines);

 private:
  ListCursor cursor_;
  size_t list_row_ = 0;
  std::string agent_;
};

class ColumnsView {
 public:
  // Space and Enter choose a column or leave it out. Returns false if the key has no meaning here.
  bool key(int key, ColumnSet& set);
  void mouse(const Mouse& mouse, ColumnSet& set);
  void draw(const Scene& scene, const ColumnSet& set, std::vector<Line>& lines);

 private:
  void toggle_chosen(ColumnSet& set);

  ListCursor cursor_;
  size_t list_row_ = 0;
};

// Keys, commands and states.
std::vector<Line> help_lines(Size size);

}  // namespace monitor::analysis::top
