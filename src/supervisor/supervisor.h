// Supervisor: starts programs in order, starts again what dies, and stops them in order.
//
// A program that ends with a status that a new start cannot mend (usage, port taken, bad configuration) ends the
// supervisor with the same status. Others are started again after 1 s, doubling to 30 s while they keep failing.
// Lines of a program's log that are errors are said at once. Everything on the loop's thread; the loop must outlive it.
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
  // Started only after an event of the program before it in the list began so (log_line.h); empty: at once.
  std::string ready_fragment;
  // Exit statuses that end the supervisor, beside those that do so for every program.
  std::vector<int> fatal_exit_codes = {};
  // Told of every line of its log.
  std::function<void(const std::string& line)> on_line;
};

struct SupervisorOptions {
  std::vector<int> fatal_exit_codes = {kExitUsage, kExitUnavailable, kExitConfig};
  int64_t stop_within_ns = 4800 * kNanosPerMilli;  // all of them together; then they are killed
};

class Supervisor {
 public:
  // What to tell people, on stderr.
  using Say = std::function<void(const std::string& line)>;

  Supervisor(EventLoop& loop, SupervisorOptions options, Say say);
  ~Supervisor();

  // Programs start in the order of adding, each when the one before it is ready. `arguments` of a later one may be
  // changed until it starts; the reference lives as long as the supervisor.
  ProgramSpec& add(ProgramSpec spec);
  // In this order, by name; what is not named comes last.
  void set_stop_order(std::vector<std::string> names);
  void start();
  // Stops everything; the loop ends when nothing runs any more. exit_code() is then `exit_code`, or, when that is 0,
  // the status of a program that failed: one that ended with another status than 0, or was waiting for a new start.
  void stop(int exit_code);
  // To be called when SIGCHLD came.
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
    int last_exit_code = 0;  // of its last end that was none of ours
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
