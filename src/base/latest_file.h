// LatestFile: a file of which only the newest content counts, written by a Worker, so that a loop does not wait for the
// disk. What is put while a write is under way waits for its end, and what is put after it takes its place.
//
// Everything on the loop's thread but the writing itself. The worker must outlive it. What was put last is handed to
// the worker even when its owner goes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "base/worker.h"

namespace monitor {

class LatestFile {
 public:
  using Write = std::function<Status(const std::string& content)>;  // on the worker's thread
  using Told = std::function<void(const Status&)>;                  // of each write, unless the owner has gone

  LatestFile(Worker& worker, Write write, Told told);
  // Written whole or not at all, and synced.
  LatestFile(Worker& worker, Disk& disk, const std::string& path, Told told);
  ~LatestFile();
  LatestFile(const LatestFile&) = delete;
  LatestFile& operator=(const LatestFile&) = delete;

  void put(std::string content);
  // What waits is not written. A write that is under way is not held up.
  void forget();

 private:
  struct State;
  static void begin(const std::shared_ptr<State>& state, std::string content);

  std::shared_ptr<State> state_;
};

}  // namespace monitor
