#include "config/file/file_board.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "base/log.h"
#include "config/file/file_source.h"

namespace monitor::config {

namespace fs = std::filesystem;

FileBoard::FileBoard(Timers& timers, const std::string& folder, const std::string& agent_id)
    : timers_(timers),
      status_path_(file_of_key(folder, status_key(agent_id))),
      inventory_path_(file_of_key(folder, inventory_key(agent_id))) {}

FileBoard::~FileBoard() { timers_.cancel_timer(done_timer_); }

void FileBoard::put_status(std::string json) { write(status_path_, json); }
void FileBoard::put_inventory(std::string json) { write(inventory_path_, json); }

void FileBoard::write(const std::string& path, const std::string& json) {
  const std::string beside = path + ".new";
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  std::ofstream(beside) << json << "\n";
  fs::rename(beside, path, error);
  if (!error) {
    failed_ = false;
  } else if (!std::exchange(failed_, true)) {
    log_warning("status cannot be written; the agent works all the same",
                {{"path", path}, {"reason", error.message()}});
  }
}

void FileBoard::stop(std::function<void()> done) {
  std::error_code error;
  fs::remove(status_path_, error);
  done_timer_ = timers_.call_after(0, [this, done = std::move(done)] {
    done_timer_ = 0;
    if (done) done();
  });
}

}  // namespace monitor::config
