#include <algorithm>
#include <cstring>
#include <utility>

#include "base/saturating.h"
#include "sketch/ddsketch.h"

namespace monitor::sketch {

namespace {

size_t width_for(uint64_t count) {
  if (count <= UINT8_MAX) return sizeof(uint8_t);
  if (count <= UINT16_MAX) return sizeof(uint16_t);
  return count <= UINT32_MAX ? sizeof(uint32_t) : sizeof(uint64_t);
}

template <typename T>
uint64_t load(const uint8_t* cells, size_t index) {
  T value = 0;
  std::memcpy(&value, cells + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void save(uint8_t* cells, size_t index, uint64_t count) {
  const T value = static_cast<T>(count);
  std::memcpy(cells + index * sizeof(T), &value, sizeof(T));
}

}  // namespace

uint64_t DenseStore::at(size_t index) const {
  if (width_ == 1) return cells_[index];
  if (width_ == sizeof(uint16_t)) return load<uint16_t>(cells_.data(), index);
  return width_ == sizeof(uint32_t) ? load<uint32_t>(cells_.data(), index) : load<uint64_t>(cells_.data(), index);
}

size_t DenseStore::next_used(size_t index) const {
  // Most buckets between the lowest and the highest are empty: skips eight bytes of zeros at once.
  size_t byte = index * width_;
  for (uint64_t word = 0; byte + sizeof word <= cells_.size(); byte += sizeof word) {
    std::memcpy(&word, cells_.data() + byte, sizeof word);
    if (word != 0) break;
  }
  for (size_t i = byte / width_; i < size(); ++i) {
    if (at(i) != 0) return i;
  }
  return size();
}

void DenseStore::put(size_t index, uint64_t value) {
  if (width_ == 1) return save<uint8_t>(cells_.data(), index, value);
  if (width_ == sizeof(uint16_t)) return save<uint16_t>(cells_.data(), index, value);
  if (width_ == sizeof(uint32_t)) return save<uint32_t>(cells_.data(), index, value);
  save<uint64_t>(cells_.data(), index, value);
}

uint64_t DenseStore::count() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < size(); ++i) add_saturating(sum, at(i));
  return sum;
}

bool DenseStore::increment_wide(uint32_t index) {
  if (index >= size()) return false;
  const uint64_t value = at(index) + 1;
  if (value == 0 || width_for(value) > width_) return false;
  put(index, value);
  return true;
}

void DenseStore::add(int32_t key, uint64_t count) {
  if (empty()) {
    first_ = key;
    cells_.assign(width_, 0);
  } else if (key < first_ || key > last()) {
    extend(std::min(key, first_), std::max(key, last()));
  }
  const auto index = static_cast<size_t>(key - first_);
  const uint64_t sum = saturating_add(at(index), count);
  widen(width_for(sum));
  put(index, sum);
}

void DenseStore::extend(int32_t first, int32_t last) {
  const auto before = static_cast<size_t>(first_ - first) * width_;
  const auto whole = static_cast<size_t>(last - first + 1) * width_;
  cells_.reserve(whole);
  cells_.insert(cells_.begin(), before, 0);
  cells_.resize(whole, 0);
  first_ = first;
}

void DenseStore::widen(size_t width) {
  if (width <= width_) return;
  DenseStore wider;
  wider.first_ = first_;
  wider.width_ = static_cast<uint32_t>(width);
  wider.cells_.assign(size() * width, 0);
  for (size_t i = 0; i < size(); ++i) wider.put(i, at(i));
  swap(wider);
}

void DenseStore::collapse() {
  if (empty()) return;
  DenseStore halved;
  halved.width_ = width_;
  halved.first_ = first_ >> 1;
  halved.cells_.assign(static_cast<size_t>((last() >> 1) - (first_ >> 1) + 1) * width_, 0);
  for (size_t i = 0; i < size(); ++i) {
    if (const uint64_t n = at(i); n > 0) halved.add((first_ + static_cast<int32_t>(i)) >> 1, n);
  }
  swap(halved);
}

void DenseStore::swap(DenseStore& other) noexcept {
  std::swap(first_, other.first_);
  std::swap(width_, other.width_);
  cells_.swap(other.cells_);
}

}  // namespace monitor::sketch
