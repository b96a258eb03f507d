// Child: a child process, started with posix_spawn in its own process group, so that Ctrl-C in the terminal reaches it
// only through its supervisor. The supervisor reads its standard error line by line, and appends it to a log file.
//
// Thread contract: the loop's thread; the loop must outlive it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/result.h"

namespace monitor::supervisor {

struct ChildOptions {
  std::string name;                    // monitor-server
  std::string program;                 // path of the executable
  std::vector<std::string> arguments;  // without the program's name
  std::string log_file;                // appended to; rotated to .1 at the start if above 10 MiB
  std::function<void(const std::string& line)> on_line;
};

// How a process ended.
struct Ending {
  int exit_code = 0;  // -1 if a signal ended it
  int signal = 0;

  std::string to_string() const;  // "exit status 69", "signal 9"
};

class Child {
 public:
  Child(EventLoop& loop, ChildOptions options);
  // Kills the child if it is still running.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Status start();
  void signal(int number) const;
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  const std::string& name() const { return options_.name; }
  // Call after waitpid has reaped the process: reads the rest of its output.
  void reaped();

 private:
  void read_output();
  void close_output();

  EventLoop& loop_;
  ChildOptions options_;
  pid_t pid_ = 0;
  Fd output_;
  Fd log_;
  std::string partial_;  // an incomplete line
  bool cut_ = false;     // the rest of an overlong line is pending
};

}  // namespace monitor::supervisor
