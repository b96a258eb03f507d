// Fifo: a queue that takes no memory while empty, where std::deque takes nearly 600 bytes; most of thousands of streams
// are idle. A large buffer is freed when the queue runs empty.
//
// References end with the next push_back(), as with std::vector; pop_front() leaves other elements' references valid. T
// must be default constructible: a removed element is replaced by T().
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace monitor {

template <typename T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  T& back() { return items_.back(); }
  const T& back() const { return items_.back(); }
  T& operator[](size_t index) { return items_[head_ + index]; }
  const T& operator[](size_t index) const { return items_[head_ + index]; }
  auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  auto end() { return items_.end(); }
  auto end() const { return items_.end(); }

  void push_back(T item) {
    // Compacts only when half of the buffer is free: each element moves once at most on average.
    if (items_.size() == items_.capacity() && head_ > items_.size() / 2) {
      items_.erase(items_.begin(), begin());
      head_ = 0;
    }
    items_.push_back(std::move(item));
  }
  void pop_front() {
    items_[head_++] = T();
    if (empty()) clear();
  }
  void pop_back() {
    items_.pop_back();
    if (empty()) clear();
  }
  // Keeps the first `size` elements.
  void truncate(size_t size) {
    while (this->size() > size) pop_back();
  }
  void clear() {
    constexpr size_t kKeptBytes = 1024;
    items_.clear();
    head_ = 0;
    if (items_.capacity() * sizeof(T) > kKeptBytes) items_ = std::vector<T>();
  }

 private:
  std::vector<T> items_;
  size_t head_ = 0;  // index of the first element; earlier ones were removed
};

}  // namespace monitor
