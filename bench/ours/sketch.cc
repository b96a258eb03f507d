// Quantiles: inserts values into DDSketch, beside its floor in the same process.
//
//   bench-sketch values=N runs=N
//
// The floor counts the same values in an array by their exponent and the first bits of their mantissa, which is the
// least that any histogram with a bounded relative error must do. Both run in turns. Prints the median nanoseconds of
// an insertion, floor_ns and ours_ns.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "floor/arguments.h"
#include "sketch/ddsketch.h"

namespace monitor::bench {
namespace {

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Values of 64 series, as a minute of ticks brings them: each around its own level.
std::vector<double> values_of(size_t count) {
  SeededRandom random(1);
  std::vector<double> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) values.push_back(std::exp(3 * random.unit()) * 1000);
  return values;
}

class Floor {
 public:
  void add(double value) { ++cells_[(std::bit_cast<uint64_t>(value) >> kShift) & (kCells - 1)]; }
  uint64_t at(size_t index) const { return cells_[index]; }

 private:
  static constexpr unsigned kShift = 46;  // 64 cells an octave
  static constexpr size_t kCells = 4096;
  std::vector<uint16_t> cells_ = std::vector<uint16_t>(kCells);
};

template <typename Sketch>
double run(const std::vector<double>& values, Sketch& sketch) {
  const int64_t begin = cpu_ns();
  for (const double value : values) sketch.add(value);
  return static_cast<double>(cpu_ns() - begin) / static_cast<double>(values.size());
}

int run(const Arguments& arguments) {
  const std::vector<double> values = values_of(static_cast<size_t>(arguments.number("values")));
  std::vector<double> floor_ns;
  std::vector<double> ours_ns;
  uint64_t seen = 0;  // keeps the compiler from leaving the work out
  for (int64_t i = 0; i < arguments.number("runs"); ++i) {
    Floor floor;
    floor_ns.push_back(run(values, floor));
    sketch::DDSketch sketch;
    ours_ns.push_back(run(values, sketch));
    seen += floor.at(7) + sketch.count();
  }
  std::printf("floor_ns=%.3f\nours_ns=%.3f\nseen=%llu\n", median(floor_ns), median(ours_ns),
              static_cast<unsigned long long>(seen));
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
