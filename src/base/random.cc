#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace monitor {

uint64_t Random::below(uint64_t bound) {
  assert(bound > 0);
  const uint64_t unbiased = UINT64_MAX - UINT64_MAX % bound;
  uint64_t value = next();
  while (value >= unbiased) value = next();
  return value % bound;
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

void Random::fill(void* data, size_t size) {
  auto* out = static_cast<unsigned char*>(data);
  while (size > 0) {
    const uint64_t value = next();
    const size_t part = std::min(size, sizeof value);
    std::memcpy(out, &value, part);
    out += part;
    size -= part;
  }
}

uint64_t SystemRandom::next() {
  uint64_t value = 0;
  // Once the kernel's pool is seeded, getrandom() never returns fewer than eight bytes; before that only a signal can
  // interrupt it.
  while (getrandom(&value, sizeof value, 0) != sizeof value) {
    if (errno != EINTR) std::abort();
  }
  return value;
}

uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15U;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

}  // namespace monitor
