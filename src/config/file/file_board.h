// Status and inventory as files: <dir>/status/<agent-id>.json, <dir>/inventory/<agent-id>.json, each renamed over the
// old one, and not synced: they are hints. A folder that cannot be written is logged once. On the loop's thread.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "config/status.h"

namespace monitor::config {

class FileBoard final : public StatusBoard {
 public:
  FileBoard(Timers& timers, const std::string& folder, const std::string& agent_id);
  ~FileBoard() override;
  FileBoard(const FileBoard&) = delete;
  FileBoard& operator=(const FileBoard&) = delete;

  void put_status(std::string json) override;
  void put_inventory(std::string json) override;
  void stop(std::function<void()> done) override;

 private:
  void write(const std::string& path, const std::string& json);

  Timers& timers_;
  std::string status_path_;
  std::string inventory_path_;
  bool failed_ = false;
  Timers::TimerId done_timer_ = 0;
};

}  // namespace monitor::config
