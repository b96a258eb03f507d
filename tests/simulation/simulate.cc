// tools/simulate: runs seeds, says what they covered, and how to repeat one that fails.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/exit_codes.h"
#include "base/log.h"
#include "simulation/world.h"

namespace monitor::simulation {
namespace {

struct Flags {
  uint64_t seeds = 5000;
  uint64_t from = 1;
  bool trace = false;
};

int run(const Flags& flags) {
  Coverage coverage;
  uint64_t batches = 0;
  uint64_t faults = 0;
  uint64_t steps = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t seed = flags.from; seed - flags.from < flags.seeds; ++seed) {
    World world(seed, coverage, flags.trace);
    const Outcome outcome = world.run();
    if (!outcome.failure.empty()) {
      fmt::print("seed {} failed {}\nrepeat it: tools/simulate --seeds 1 --from {} --trace\n", seed, outcome.failure,
                 seed);
      return kExitNegative;
    }
    batches += outcome.batches;
    faults += outcome.faults;
    steps += outcome.steps;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{}\n{} seeds: {} batches, {} faults, {} steps; {:.0f} seeds a second\n", coverage.table(), flags.seeds,
             batches, faults, steps, static_cast<double>(flags.seeds) / took.count());
  return kExitOk;
}

int run_main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Runs the simulation.", "simulate");
  app.add_option("--seeds", flags.seeds, "How many seeds are run")->capture_default_str();
  app.add_option("--from", flags.from, "The first of them")->capture_default_str();
  app.add_flag("--trace", flags.trace, "Print every fault as it comes, and the programs' log");
  CLI11_PARSE(app, argc, argv);
  // Disks come and go with every seed: their memory is kept.
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  log_configure(flags.trace ? LogLevel::kInfo : LogLevel::kOff, LogFormat::kText);
  return run(flags);
}

}  // namespace
}  // namespace monitor::simulation

int main(int argc, char** argv) { return monitor::simulation::run_main(argc, argv); }
