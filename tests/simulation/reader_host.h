// Readers: real consumers of the log, as members of one group. A dead member loses its counts since the last snapshot;
// counts in a snapshot are permanent. Every batch must be counted exactly once, and the readers' real ledger
// (views/ledger/) must equal the simulation's knowledge of every run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simulation/ledger.h"
#include "simulation/producer.h"
#include "simulation/schedule.h"
#include "views/ledger/ledger.h"

namespace monitor::simulation {

enum class ReaderState { kDown, kCaughtUp, kUncommitted };

class ReaderHost {
 public:
  struct Environment {
    Schedule& schedule;
    LogCluster& cluster;
    Ledger& ledger;
    Random& random;
  };
  explicit ReaderHost(Environment environment);
  ~ReaderHost();
  ReaderHost(const ReaderHost&) = delete;
  ReaderHost& operator=(const ReaderHost&) = delete;

  void start();
  void kill();
  // Notifies it of new records.
  void wake();
  // Makes this many of the next snapshots fail; some of them are stored nevertheless.
  void fail_snapshots(int count);
  // Its output accepts only a part of the batches (back-pressure).
  void take_slowly(bool slowly);
  bool up() const { return process_ != nullptr; }
  // Reads to the end, and stores a snapshot.
  void finish();
  ReaderState state() const;
  // The ledger of its partitions; nullptr while it is down.
  const analysis::Ledger* built() const;

 private:
  struct Process;
  void read();
  void store();

  Environment environment_;
  std::unique_ptr<Process> process_;
};

}  // namespace monitor::simulation
