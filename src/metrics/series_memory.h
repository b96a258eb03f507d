// Lists of series that have passed all checks. An agent sends the same list with every batch, and a fleet's agents
// mostly send the same one: what was checked once is recognised by its bytes, all of which are compared.
//
// Bounded in bytes; a list that takes another's place costs no more than a check. Not thread-safe.
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
  // A byte for each series, in order: 1 where its values are integers.
  using Types = std::vector<uint8_t>;

  // The types of a list in its wire form, or nullptr. Valid until the next keep().
  const Types* find(std::string_view list) const;
  void keep(std::string_view list, std::span<const uint8_t> types);
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kPlaces = 256;
  // Of all lists together. A list alone is bounded by the batch that it came in.
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  struct Known {
    std::string list;
    Types types;
  };
  static size_t place_of(std::string_view list);
  void forget(Known& known);

  std::vector<Known> known_ = std::vector<Known>(kPlaces);
  size_t bytes_ = 0;
  size_t next_to_forget_ = 0;
};

}  // namespace monitor::metrics
