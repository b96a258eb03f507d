// Readers: the real consumer on the log, as members of one group, each with what it counted. What a member counted
// since its last snapshot dies with it; what is in a snapshot counts for good. Every batch must be counted exactly
// once, and the real ledger that they build (views/ledger/) must say of every run what the simulation knows of it.
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
  // There is something new.
  void wake();
  // So many of the next snapshots fail; some of them were stored all the same.
  void fail_snapshots(int count);
  // Its terminal takes only a part of what it is given.
  void take_slowly(bool slowly);
  bool up() const { return process_ != nullptr; }
  // Reads all that there is, and stores its snapshot.
  void finish();
  ReaderState state() const;
  // The ledger of the partitions that it has; nullptr when it is down.
  const analysis::Ledger* built() const;

 private:
  struct Process;
  void read();
  void store();

  Environment environment_;
  std::unique_ptr<Process> process_;
};

}  // namespace monitor::simulation
