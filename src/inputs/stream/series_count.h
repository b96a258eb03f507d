// SeriesCount: counts different series by fingerprints of 32 bits, in an open-addressed table. Two series share a
// fingerprint once in four billion pairs, which a limit can bear. Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace monitor::server {

class SeriesCount {
 public:
  // True: it is new. Beyond `most`, a new one is not remembered, so that memory is bounded.
  bool add(uint32_t fingerprint, size_t most) {
    if (fingerprint == 0) fingerprint = 1;  // 0 marks a free place
    if (places_.empty()) places_.resize(kLeast);
    size_t place = fingerprint & (places_.size() - 1);
    while (places_[place] != 0) {
      if (places_[place] == fingerprint) return false;
      place = (place + 1) & (places_.size() - 1);
    }
    if (size_ >= most) return true;
    places_[place] = fingerprint;
    if (++size_ * 4 > places_.size() * 3) grow();
    return true;
  }
  size_t size() const { return size_; }
  void clear() {
    places_ = {};
    size_ = 0;
  }

 private:
  static constexpr size_t kLeast = 16;  // a power of two, as all sizes

  void grow() {
    std::vector<uint32_t> old(places_.size() * 2);
    old.swap(places_);
    for (const uint32_t fingerprint : old) {
      if (fingerprint == 0) continue;
      size_t place = fingerprint & (places_.size() - 1);
      while (places_[place] != 0) place = (place + 1) & (places_.size() - 1);
      places_[place] = fingerprint;
    }
  }

  std::vector<uint32_t> places_;
  size_t size_ = 0;
};

}  // namespace monitor::server
