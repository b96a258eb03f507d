#include "config/file/file_board.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/log.h"
#include "config/file/file_source.h"

namespace monitor::config {

namespace fs = std::filesystem;

namespace {

Status write_beside(const std::string& path, const std::string& json) {
  const std::string beside = path + ".new";
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  std::ofstream file(beside);
  file << json << "\n";
  file.close();
  if (!file) return errno_error(errno, "writing " + beside);
  fs::rename(beside, path, error);
  if (error) return errno_error(error.value(), "writing " + path);
  return {};
}

}  // namespace

FileBoard::FileBoard(Worker& worker, const std::string& folder, const std::string& agent_id)
    : worker_(worker),
      status_path_(file_of_key(folder, status_key(agent_id))),
      status_(file(status_path_)),
      inventory_(file(file_of_key(folder, inventory_key(agent_id)))) {}

LatestFile FileBoard::file(const std::string& path) {
  return {worker_, [path](const std::string& json) { return write_beside(path, json); },
          [this](const Status& written) {
            if (written) {
              failed_ = false;
            } else if (!std::exchange(failed_, true)) {
              log_warning("status cannot be written; the agent works all the same", {{"reason", written.error()}});
            }
          }};
}

void FileBoard::put_status(std::string json) { status_.put(std::move(json)); }
void FileBoard::put_inventory(std::string json) { inventory_.put(std::move(json)); }

void FileBoard::stop(std::function<void()> done) {
  status_.forget();
  const auto remove = [path = status_path_] {
    std::error_code error;
    fs::remove(path, error);
  };
  worker_.submit(remove, [done = std::move(done)] {
    if (done) done();
  });
}

}  // namespace monitor::config
