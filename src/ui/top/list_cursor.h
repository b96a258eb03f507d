// ListCursor: the selected row of a list that scrolls. It stays on the same entry when the list changes. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace monitor::analysis::top {

class ListCursor {
 public:
  // Handles up, down, j, k, page up and down, home and end. Returns false for any other key.
  bool key(int key);
  void move(long by);
  // Selects the first row of the list that is shown next.
  void to_first();
  // Selects this entry, once it is in the list.
  void choose(const std::string& id) { chosen_ = id; }
  // Selects a row that is on the screen, counted from its first. Returns whether it was selected already.
  bool click(size_t row);

  // The list as it is now, and how many rows of it the screen has.
  void show(std::vector<std::string> ids, size_t room);
  // From here on, as of the last show().
  size_t place() const { return static_cast<size_t>(place_); }
  size_t first() const { return static_cast<size_t>(scroll_); }
  size_t room() const { return static_cast<size_t>(room_); }
  // Empty if the list is empty, or not shown yet.
  const std::string& chosen() const { return chosen_; }

 private:
  std::string chosen_;
  std::vector<std::string> ids_;
  long place_ = 0;
  long scroll_ = 0;
  long room_ = 20;
};

}  // namespace monitor::analysis::top
