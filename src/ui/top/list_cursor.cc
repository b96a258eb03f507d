#include "ui/top/list_cursor.h"

#include <algorithm>

#include "ui/top/keys.h"

namespace monitor::analysis::top {

bool ListCursor::key(int key) {
  const auto by = movement(key, room_);
  if (by) move(*by);
  return by.has_value();
}

void ListCursor::move(long by) {
  if (ids_.empty()) {  // the order has changed since the last drawing
    place_ = std::max(0L, place_ + by);
    return;
  }
  place_ = std::clamp(place_ + by, 0L, static_cast<long>(ids_.size()) - 1);
  chosen_ = ids_[static_cast<size_t>(place_)];
}

void ListCursor::to_first() {
  chosen_.clear();
  ids_.clear();
  place_ = 0;
  scroll_ = 0;
}

bool ListCursor::click(size_t row) {
  const long place = scroll_ + static_cast<long>(row);
  if (place >= static_cast<long>(ids_.size())) return false;
  const bool again = place == place_;
  move(place - place_);
  return again;
}

void ListCursor::show(std::vector<std::string> ids, size_t room) {
  ids_ = std::move(ids);
  room_ = std::max(static_cast<long>(room), 1L);
  const auto found = std::ranges::find(ids_, chosen_);
  if (found != ids_.end()) place_ = found - ids_.begin();
  place_ = std::clamp(place_, 0L, std::max(static_cast<long>(ids_.size()) - 1, 0L));
  chosen_ = ids_.empty() ? "" : ids_[static_cast<size_t>(place_)];
  scroll_ = std::clamp(scroll_, std::max(place_ - room_ + 1, 0L), place_);
  scroll_ = std::clamp(scroll_, 0L, std::max(static_cast<long>(ids_.size()) - room_, 0L));
}

}  // namespace monitor::analysis::top
