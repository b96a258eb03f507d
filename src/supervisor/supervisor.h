// Supervisor: starts programs in order, restarts those that die, and stops all of them in order.
//
// If a program ends with a status that a restart cannot fix (usage, port in use, invalid configuration), the supervisor
// ends with that status. Other programs are restarted after 1 s, and the delay doubles up to 30 s while they keep
// failing. Error lines in a program's log are printed at once.
//
// Thread contract: the loop's thread; the loop must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/exit_codes.h"
#include "supervisor/child.h"

namespace monitor::supervisor {

struct ProgramSpec {
  std::string name;
  std::string program;
  std::vector<std::string> arguments;
  std::string log_file;
  // Starts only after the previous program has logged an event that starts with this text (log_line.h); empty: at once.
  std::string ready_fragment;
  // Exit statuses that end the supervisor, in addition to the fixed ones.
  std::vector<int> fatal_exit_codes = {};
  // Called for every line of its log.
  std::function<void(const std::string& line)> on_line;
};

struct SupervisorOptions {
  std::vector<int> fatal_exit_codes = {kExitUsage, kExitUnavailable, kExitConfig};
  int64_t stop_within_ns = 4800 * kNanosPerMilli;  // for all programs together; after that they are killed
};

class Supervisor {
 public:
  // Prints messages for people on stderr.
  using Say = std::function<void(const std::string& line)>;

  Supervisor(EventLoop& loop, SupervisorOptions options, Say say);
  ~Supervisor();

  // Programs start in this order, each when the previous one is ready. `arguments` may be changed until the program
  // starts; the reference is valid as long as the supervisor exists.
  ProgramSpec& add(ProgramSpec spec);
  // The order of stopping, by name; programs that are not listed stop last.
  void set_stop_order(std::vector<std::string> names);
  void start();
  // Stops all programs. The loop ends when none is running. exit_code() is then `exit_code`. If that is 0, but a
  // program ended with another status or was waiting for a restart, exit_code() is the status of that program.
  void stop(int exit_code);
  // Call after SIGCHLD.
  void reap();

  int exit_code() const { return exit_code_; }

 private:
  struct Program {
    ProgramSpec spec;
    std::unique_ptr<Child> child;
    std::deque<std::string> last_lines;
    bool started_once = false;
    bool ready = false;
    bool error_said = false;  // since its last start
    int64_t started_mono = 0;
    int64_t wait_ns = kNanosPerSecond;
    Timers::TimerId restart_timer = 0;
    int last_exit_code = 0;  // of the last time that it ended by itself
  };

  void launch(Program& program);
  void launch_next(const Program& after);
  void on_line(Program& program, const std::string& line);
  void on_ended(Program& program, const Ending& ending);
  void say_last_lines(const Program& program) const;
  void stop_next();
  Program* find(const std::string& name);

  EventLoop& loop_;
  SupervisorOptions options_;
  Say say_;
  std::vector<std::unique_ptr<Program>> programs_;
  std::vector<std::string> stop_order_;
  bool stopping_ = false;
  int exit_code_ = 0;
  Timers::TimerId kill_timer_ = 0;
};

}  // namespace monitor::supervisor
