// tools/simulate: runs seeds, prints their coverage, and the command that repeats a failed one. A second build with
// deliberate bugs (base/mutant.h) prints the seed that detects each of them.
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

// With fewer seeds, some pairs of fault and state may not occur.
constexpr uint64_t kJudgedFrom = 5000;
// With fewer, no agent may meet an older server.
constexpr uint64_t kMixedFrom = 100;

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
  uint64_t as_v2 = 0;
  uint64_t converted = 0;
  Coverage coverage;
};

std::string run_seed(uint64_t seed, bool trace, Sum& sum) {
  World world(seed, sum.coverage, trace);
  const Outcome outcome = world.run();
  ++sum.seeds;
  sum.batches += outcome.batches;
  sum.faults += outcome.faults;
  sum.steps += outcome.steps;
  sum.as_v2 += outcome.as_v2;
  sum.converted += outcome.converted;
  return outcome.failure;
}

bool passes(uint64_t seed, bool trace, Sum& sum) {
  const std::string failure = run_seed(seed, trace, sum);
  if (failure.empty()) return true;
  fmt::print("seed {} fails {}\nrepeat: tools/simulate --seeds 1 --from {} --trace\n", seed, failure, seed);
  return false;
}

// Reads seeds that once failed: one number per line; # begins a comment.
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
  if (sum.seeds >= kMixedFrom && (sum.as_v2 == 0 || sum.converted == 0)) {
    fmt::print("never occurred: a log with records of payload v2, and with such that were converted to v1\n");
    return false;
  }
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
  fmt::print(
      "{} seeds: {} batches, {} faults, {} steps; {} records of payload v2, {} converted to v1; {:.0f} seeds/s\n",
      sum.seeds, sum.batches, sum.faults, sum.steps, sum.as_v2, sum.converted,
      static_cast<double>(sum.seeds) / took.count());
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
  if (!known) fmt::print(stderr, "simulate: unknown mutant {}; --list-mutants prints all\n", flags.mutant);
  if (!known) return kExitUsage;
  return caught ? kExitOk : kExitNegative;
}

#endif

int run_main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Runs the simulation: agents, servers and readers with faults, one run per seed (docs/robustness.md).",
               "tools/simulate");
  app.add_option("--seeds", flags.seeds, "Number of seeds to run")->capture_default_str();
  app.add_option("--from", flags.from, "First seed")->capture_default_str();
  app.add_option("--also", flags.also, "File of seeds to run first");
  app.add_flag("--trace", flags.trace, "Print faults and the programs' log");
  app.add_flag("--quiet", flags.quiet, "Do not print the coverage table");
#ifdef MONITOR_MUTANTS
  app.add_option("--mutant", flags.mutant, "Run this mutant, or `all`, until a seed detects it");
  app.add_flag("--list-mutants", flags.list_mutants, "List the mutants");
#endif
  CLI11_PARSE(app, argc, argv);
  log_configure(flags.trace ? LogLevel::kInfo : LogLevel::kOff, LogFormat::kText);
  // Every seed allocates and frees disks; keeping the memory avoids system calls.
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
