// LatestFile: writes a file of which only the newest content matters, through a Worker, so that the loop never waits
// for the disk. Content put during a write waits for its end; newer content replaces it.
// Thread contract: call everything on the loop's thread; only `Write` runs on the worker's. The worker must outlive
// this object. The last content is written even if this object is destroyed first.
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
  using Write = std::function<Status(const std::string& content)>;  // runs on the worker's thread
  using Done = std::function<void(const Status&)>;                  // after each write, unless the owner was destroyed

  LatestFile(Worker& worker, Write write, Done done);
  // Atomic and durable.
  LatestFile(Worker& worker, Disk& disk, const std::string& path, Done done);
  ~LatestFile();
  LatestFile(const LatestFile&) = delete;
  LatestFile& operator=(const LatestFile&) = delete;

  void put(std::string content);
  // Drops waiting content. A pending write continues.
  void forget();

 private:
  struct State;
  static void begin(const std::shared_ptr<State>& state, std::string content);

  std::shared_ptr<State> state_;
};

}  // namespace monitor
