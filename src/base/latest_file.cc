#include "base/latest_file.h"

#include <optional>
#include <utility>

namespace monitor {

struct LatestFile::State {
  Worker& worker;
  Write write;
  Done done;  // empty: the owner was destroyed
  bool writing = false;
  std::optional<std::string> waiting;
};

LatestFile::LatestFile(Worker& worker, Write write, Done done)
    : state_(std::make_shared<State>(worker, std::move(write), std::move(done))) {}

LatestFile::LatestFile(Worker& worker, Disk& disk, const std::string& path, Done done)
    : LatestFile(
          worker, [&disk, path](const std::string& content) { return disk.write_file(path, content); },
          std::move(done)) {}

LatestFile::~LatestFile() {
  state_->done = nullptr;
  // The worker runs in order, so this write follows the pending one.
  if (auto last = std::exchange(state_->waiting, std::nullopt)) begin(state_, std::move(*last));
}

void LatestFile::put(std::string content) {
  if (state_->writing) {
    state_->waiting = std::move(content);
  } else {
    begin(state_, std::move(content));
  }
}

void LatestFile::forget() { state_->waiting.reset(); }

void LatestFile::begin(const std::shared_ptr<State>& state, std::string content) {
  state->writing = true;
  auto written = std::make_shared<Status>();
  state->worker.submit([state, written, content = std::move(content)] { *written = state->write(content); },
                       [state, written] {
                         state->writing = false;
                         if (auto next = std::exchange(state->waiting, std::nullopt)) begin(state, std::move(*next));
                         if (state->done) state->done(*written);
                       });
}

}  // namespace monitor
