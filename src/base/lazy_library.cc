#include "base/lazy_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>

#include "base/exit_codes.h"
#include "base/log.h"
#include "base/program_folder.h"

namespace monitor {

namespace {

std::string path_of(const std::string& module) {
  const std::string folder = program_folder();
  const std::string beside = folder + "/" + module;
  const std::string installed = folder + "/../libexec/monitor/" + module;
  return access(beside.c_str(), R_OK) != 0 && access(installed.c_str(), R_OK) == 0 ? installed : beside;
}

[[noreturn]] void give_up(const std::string& path, std::string_view reason) {
  log_error("cannot load a part of this program; install it again", {{"file", path}, {"reason", reason}});
  _exit(kExitSoftware);
}

}  // namespace

void load_lazy_library(const LazyLibrary& library) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (library.functions.front() != nullptr) return;  // another thread was faster
  const std::string path = path_of(library.module);
  void* const module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    const char* const reason = dlerror();  // NOLINT(concurrency-mt-unsafe): of this thread
    give_up(path, reason == nullptr ? "unknown" : reason);
  }
  const auto* const list = static_cast<const char*>(dlsym(module, "monitor_lazy_list"));
  auto* const functions = static_cast<void**>(dlsym(module, "monitor_lazy_functions"));
  if (list == nullptr || functions == nullptr || std::string_view(list) != library.list) {
    give_up(path, "it belongs to another version of the program");
  }
  // The first one last: other threads take it as the sign that all are there.
  std::copy(functions + 1, functions + library.functions.size(), library.functions.begin() + 1);
  library.functions.front() = functions[0];
}

}  // namespace monitor
