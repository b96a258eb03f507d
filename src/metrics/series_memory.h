// SeriesMemory: a cache of series lists that have passed all checks. An agent sends the same list with every batch, and
// most agents of a fleet send the same list. Lists are looked up by their bytes, all of which are compared.
//
// Bounded in bytes. A miss costs one full check. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::metrics {

class SeriesMemory {
 public:
  // One byte for each series, in order: 1 if its values are integers.
  using Types = std::vector<uint8_t>;

  // The types of a list in wire form, or nullptr if the list is unknown. Valid until the next keep().
  const Types* find(std::string_view list);
  // The list that was found or kept last, which the next batch probably has, too; empty: there is none. use_last()
  // counts as a find() of it.
  std::string_view last() const { return known_[last_place_].list; }
  const Types& use_last() {
    last_id_ = known_[last_place_].id;
    return known_[last_place_].types;
  }
  void keep(std::string_view list, std::span<const uint8_t> types);
  // Names the list of the last successful find(), or of the last keep(): no other list ever gets the same number. 0: it
  // is not kept.
  uint64_t last_id() const { return last_id_; }
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kPlaces = 256;
  // Bytes of all lists together. A single list is bounded by the size of its batch.
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  struct Known {
    std::string list;
    Types types;
    uint64_t id = 0;
  };
  static size_t place_of(std::string_view list);
  void forget(Known& known);

  std::vector<Known> known_ = std::vector<Known>(kPlaces);
  size_t bytes_ = 0;
  size_t next_to_forget_ = 0;
  size_t last_place_ = 0;
  uint64_t ids_ = 0;
  uint64_t last_id_ = 0;
};

}  // namespace monitor::metrics
