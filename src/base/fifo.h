// Fifo: a queue that takes no memory while it is empty, where std::deque takes nearly 600 bytes: of thousands of
// streams most have nothing under way. What it took is given back when it runs empty and was large.
//
// As std::vector's, references end with the next push_back(); pop_front() leaves those to other elements alone.
// T must be default constructible: an element that was taken out is replaced by T().
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
    // Moved together only when half of it is free: each element is moved once at most, in the mean.
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
  // Leaves the first `size` of them.
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
  size_t head_ = 0;  // of the first element; what is before it was taken out
};

}  // namespace monitor
