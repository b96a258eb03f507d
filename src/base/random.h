// The source of randomness, injected: the kernel's in programs, a seeded one in tests and simulations.
// Not thread-safe: one per loop.
#pragma once

#include <cstddef>
#include <cstdint>

namespace monitor {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;

  // A number in [0, bound), without bias; bound > 0.
  uint64_t below(uint64_t bound);
  // A number in [0, 1).
  double unit();
  void fill(void* data, size_t size);
};

// getrandom(2).
class SystemRandom final : public Random {
 public:
  uint64_t next() override;
};

// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014): one seed, one sequence.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() override;

 private:
  uint64_t state_;
};

}  // namespace monitor
