// tools/simulate: runs seeds, says what they covered, and how to repeat one that fails. Built a second time with
// mistakes on purpose (base/mutant.h), it says by which seed each is caught.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "base/exit_codes.h"
#include "base/log.h"
#include "base/mutant.h"
#include "simulation/world.h"

namespace monitor::simulation {
namespace {

// Fewer cannot be expected to have every pair of fault and state.
constexpr uint64_t kJudgedFrom = 5000;

struct Flags {
  uint64_t seeds = 5000;
  uint64_t from = 1;
  std::string also;
  bool trace = false;
  bool quiet = false;
  std::string mutant;
  bool list_mutants = false;
};

struct Sum {
  uint64_t seeds = 0;
  uint64_t batches = 0;
  uint64_t faults = 0;
  uint64_t steps = 0;
  Coverage coverage;
};

std::string run_seed(uint64_t seed, bool trace, Sum& sum) {
  World world(seed, sum.coverage, trace);
  const Outcome outcome = world.run();
  ++sum.seeds;
  sum.batches += outcome.batches;
  sum.faults += outcome.faults;
  sum.steps += outcome.steps;
  return outcome.failure;
}

bool passes(uint64_t seed, bool trace, Sum& sum) {
  const std::string failure = run_seed(seed, trace, sum);
  if (failure.empty()) return true;
  fmt::print("seed {} fails {}\nrepeat it: tools/simulate --seeds 1 --from {} --trace\n", seed, failure, seed);
  return false;
}

// Seeds that once failed: a number a line, # begins a comment.
bool old_ones_pass(const std::string& path, Sum& sum) {
  std::ifstream file(path);
  if (!file) {
    fmt::print(stderr, "simulate: cannot read {}\n", path);
    return false;
  }
  bool well = true;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    well = passes(std::stoull(line), false, sum) && well;
  }
  return well;
}

bool covered(const Sum& sum) {
  if (sum.seeds < kJudgedFrom) return true;
  const auto missing = sum.coverage.missing();
  for (const std::string& pair : missing) fmt::print("never occurred: {}\n", pair);
  return missing.empty();
}

int run(const Flags& flags) {
  Sum sum;
  const auto begin = std::chrono::steady_clock::now();
  if (!flags.also.empty() && !old_ones_pass(flags.also, sum)) return kExitNegative;
  for (uint64_t seed = flags.from; seed - flags.from < flags.seeds; ++seed) {
    if (!passes(seed, flags.trace, sum)) return kExitNegative;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (!flags.quiet) fmt::print("{}\n", sum.coverage.table());
  fmt::print("{} seeds: {} batches, {} faults, {} steps; {:.0f} seeds a second\n", sum.seeds, sum.batches, sum.faults,
             sum.steps, static_cast<double>(sum.seeds) / took.count());
  return covered(sum) ? kExitOk : kExitNegative;
}

#ifdef MONITOR_MUTANTS

constexpr std::array<std::string_view, 9> kMutants = {
    "ack_before_confirmation", "checkpoint_before_confirmation", "skip_fsync",        "high_water_dedupe",
    "append_to_recovered",     "unlink_before_checkpoint",       "lose_drop_records", "ack_past_gap",
    "forget_rewind",
};

bool is_caught(std::string_view name, const Flags& flags) {
  mutant = name;
  Sum sum;
  for (uint64_t seed = flags.from; seed - flags.from < flags.seeds; ++seed) {
    const std::string failure = run_seed(seed, flags.trace, sum);
    if (failure.empty()) continue;
    fmt::print("{:<31} caught by seed {}, {}\n", name, seed, failure);
    return true;
  }
  fmt::print("{:<31} is NOT caught by {} seeds\n", name, flags.seeds);
  return false;
}

int run_mutants(const Flags& flags) {
  bool known = flags.mutant == "all";
  bool caught = true;
  for (const std::string_view name : kMutants) {
    if (flags.list_mutants) fmt::print("{}\n", name);
    if (flags.list_mutants || (flags.mutant != "all" && flags.mutant != name)) continue;
    known = true;
    caught = is_caught(name, flags) && caught;
  }
  if (flags.list_mutants) return kExitOk;
  if (!known) fmt::print(stderr, "simulate: there is no mutant {}; --list-mutants names all\n", flags.mutant);
  if (!known) return kExitUsage;
  return caught ? kExitOk : kExitNegative;
}

#endif

int run_main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Runs the simulation: agents, servers and readers with faults, a seed a run (docs/robustness.md).",
               "tools/simulate");
  app.add_option("--seeds", flags.seeds, "How many seeds are run")->capture_default_str();
  app.add_option("--from", flags.from, "The first of them")->capture_default_str();
  app.add_option("--also", flags.also, "A file of seeds that are run before");
  app.add_flag("--trace", flags.trace, "Show faults and the programs' log as they come");
  app.add_flag("--quiet", flags.quiet, "Do not print the table of what was covered");
#ifdef MONITOR_MUTANTS
  app.add_option("--mutant", flags.mutant, "With this mistake, or `all` in turn: until a seed catches it");
  app.add_flag("--list-mutants", flags.list_mutants, "Name the mistakes");
#endif
  CLI11_PARSE(app, argc, argv);
  log_configure(flags.trace ? LogLevel::kInfo : LogLevel::kOff, LogFormat::kText);
  // Disks come and go with every seed: their memory is kept.
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#ifdef MONITOR_MUTANTS
  if (flags.list_mutants || !flags.mutant.empty()) return run_mutants(flags);
#endif
  return run(flags);
}

}  // namespace
}  // namespace monitor::simulation

int main(int argc, char** argv) { return monitor::simulation::run_main(argc, argv); }
