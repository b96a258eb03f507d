#include "config/file/file_status_publisher.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/beneath.h"
#include "base/disk.h"
#include "base/log.h"
#include "config/file/file_source.h"

namespace monitor::config {

namespace {

// Other users may read the file. The path is resolved below the folder, so that nobody can redirect it with a link.
Status write_beside(const std::string& folder, const std::string& path, const std::string& json) {
  PosixDisk disk;
  if (auto s = disk.make_folder(folder); !s) return s;
  const auto root = open_folder(folder);
  if (!root) return root.error();
  const size_t slash = path.rfind('/');
  const auto parent = make_folder_beneath(root->get(), folder, path.substr(0, slash));
  if (!parent) return parent.error();
  const std::string name = path.substr(slash + 1);
  const std::string beside = name + ".new";
  const std::string whole = folder + "/" + path;
  // Left by a killed process, or by another user.
  unlinkat(parent->get(), beside.c_str(), 0);
  const Fd file(openat(parent->get(), beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.valid()) return errno_error(errno, "writing " + whole + ".new");
  const std::string text = json + "\n";
  if (fchmod(file.get(), 0644) != 0 ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return errno_error(errno, "writing " + whole + ".new");
  }
  if (renameat(parent->get(), beside.c_str(), parent->get(), name.c_str()) != 0) {
    return errno_error(errno, "writing " + whole);
  }
  return {};
}

}  // namespace

FileStatusPublisher::FileStatusPublisher(Worker& worker, const std::string& folder, const std::string& agent_id)
    : worker_(worker),
      folder_(folder),
      status_path_(path_of_key(status_key(agent_id))),
      inventory_path_(path_of_key(inventory_key(agent_id))),
      status_(file(status_path_)),
      inventory_(file(inventory_path_)) {}

LatestFile FileStatusPublisher::file(const std::string& path) {
  return {worker_, [folder = folder_, path](const std::string& json) { return write_beside(folder, path, json); },
          [this](const Status& written) {
            if (written) {
              failed_ = false;
            } else if (!std::exchange(failed_, true)) {
              log_warning("status cannot be written; the agent keeps working", {{"reason", written.error()}});
            }
          }};
}

void FileStatusPublisher::put_status(std::string json) { status_.put(std::move(json)); }
void FileStatusPublisher::put_inventory(std::string json) { inventory_.put(std::move(json)); }

void FileStatusPublisher::stop(std::string inventory, std::function<void()> done) {
  status_.forget();
  inventory_.forget();
  const auto remove = [folder = folder_, path = status_path_, inventory_path = inventory_path_,
                       json = std::move(inventory)] {
    (void)write_beside(folder, inventory_path, json);
    (void)PosixDisk().remove_beneath(folder, path);
  };
  worker_.submit(remove, [done = std::move(done)] {
    if (done) done();
  });
}

}  // namespace monitor::config
