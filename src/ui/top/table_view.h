// The view that `top` begins with: the fleet's charts, if the screen is tall, and the table of agents. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "ui/top/keys.h"
#include "ui/top/list_cursor.h"
#include "ui/top/scene.h"
#include "ui/top/table.h"

namespace monitor::analysis::top {

class TableView {
 public:
  // Returns false if the key has no meaning here.
  bool key(int key);
  // Returns true if the user opens the agent that is selected.
  bool mouse(const Mouse& mouse);
  void sort_by(Column by, bool descending);
  void set_filter(const std::string& text) { order_.filter = text; }
  const TableOrder& order() const { return order_; }

  // Empty before the first drawing, and if there are no rows.
  const std::string& chosen() const { return cursor_.chosen(); }
  // Makes chosen() right for a fleet, if the order has changed since the last drawing.
  void resolve(const Scene& scene);
  void draw(const Scene& scene, const ColumnSet& columns, std::vector<Line>& lines);

 private:
  void turn_sort(size_t by);
  size_t list_room(const Scene& scene, size_t above) const;

  TableOrder order_;
  ListCursor cursor_;
  std::vector<Placed> placed_;  // as last drawn
  size_t header_row_ = 0;
  size_t list_row_ = 0;
};

}  // namespace monitor::analysis::top
