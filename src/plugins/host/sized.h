// Structs of the plugin interface start with their size and may grow at their end (docs/plugin-abi.md). Every size from
// that of version 1.0 on is accepted. Fields that only one side knows are neither read nor written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>

namespace monitor::plugin_host {

// Returns the given struct, padded with zeros; nothing if it is smaller than `least`.
template <typename T>
std::optional<T> read_sized(const T* given, size_t least) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, size) == 0);
  if (given == nullptr || given->size < least) return std::nullopt;
  T whole{};
  std::memcpy(&whole, given, std::min<size_t>(given->size, sizeof whole));
  return whole;
}

// Writes as much as the other side has room for, and leaves its size field unchanged. Returns false if it is smaller
// than `least`.
template <typename T>
bool write_sized(T* to, size_t least, T value) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, size) == 0);
  if (to == nullptr || to->size < least) return false;
  value.size = to->size;
  std::memcpy(to, &value, std::min<size_t>(to->size, sizeof value));
  return true;
}

}  // namespace monitor::plugin_host
