#include "supervisor/supervisor.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "supervisor/log_line.h"

namespace monitor::supervisor {

namespace {

constexpr size_t kLinesToShow = 5;
constexpr int64_t kLongestWait = 30 * kNanosPerSecond;
// A program that has run for this long resets its restart delay.
constexpr int64_t kWellAfter = 60 * kNanosPerSecond;

}  // namespace

Supervisor::Supervisor(EventLoop& loop, SupervisorOptions options, Say say)
    : loop_(loop), options_(std::move(options)), say_(std::move(say)) {}

Supervisor::~Supervisor() {
  loop_.cancel_timer(kill_timer_);
  for (const auto& program : programs_) loop_.cancel_timer(program->restart_timer);
}

ProgramSpec& Supervisor::add(ProgramSpec spec) {
  programs_.push_back(std::make_unique<Program>());
  programs_.back()->spec = std::move(spec);
  return programs_.back()->spec;
}

void Supervisor::set_stop_order(std::vector<std::string> names) { stop_order_ = std::move(names); }

void Supervisor::start() {
  if (!programs_.empty()) launch(*programs_.front());
}

Supervisor::Program* Supervisor::find(const std::string& name) {
  for (const auto& program : programs_) {
    if (program->spec.name == name) return program.get();
  }
  return nullptr;
}

void Supervisor::launch(Program& program) {
  program.restart_timer = 0;
  if (stopping_) return;
  ChildOptions options;
  options.name = program.spec.name;
  options.program = program.spec.program;
  options.arguments = program.spec.arguments;
  options.log_file = program.spec.log_file;
  options.on_line = [this, &program](const std::string& line) { on_line(program, line); };
  program.child = std::make_unique<Child>(loop_, std::move(options));
  program.started_mono = loop_.clock().mono_ns();
  program.last_lines.clear();
  program.error_said = false;
  const Status started = program.child->start();
  if (!started) {
    say_(fmt::format("{}: {}", program.spec.name, started.error().message()));
    stop(kExitUnavailable);
    return;
  }
  program.started_once = true;
  if (program.spec.ready_fragment.empty()) launch_next(program);
}

void Supervisor::launch_next(const Program& after) {
  for (size_t i = 0; i + 1 < programs_.size(); ++i) {
    if (programs_[i].get() == &after && !programs_[i + 1]->started_once) launch(*programs_[i + 1]);
  }
}

void Supervisor::on_line(Program& program, const std::string& line) {
  program.last_lines.push_back(line);
  if (program.last_lines.size() > kLinesToShow) program.last_lines.pop_front();
  if (level_of(line) == "ERROR") {
    program.error_said = true;
    say_(fmt::format("{}: {}", program.spec.name, line));
  }
  if (program.spec.on_line) program.spec.on_line(line);
  const std::string& fragment = program.spec.ready_fragment;
  if (fragment.empty() || program.ready || !event_of(line).starts_with(fragment)) return;
  program.ready = true;
  launch_next(program);
}

void Supervisor::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (const auto& program : programs_) {
      if (!program->child || program->child->pid() != pid) continue;
      Ending ending;
      ending.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      program->child->reaped();
      on_ended(*program, ending);
      break;
    }
  }
}

// Prints why a program ended, unless an error line has already done so.
void Supervisor::say_last_lines(const Program& program) const {
  if (program.error_said) return;
  for (const std::string& line : program.last_lines) say_(fmt::format("{}: {}", program.spec.name, line));
}

void Supervisor::on_ended(Program& program, const Ending& ending) {
  if (stopping_) {
    // A program reports lost data or failed writes by its exit status; the whole run must then fail as well.
    if (exit_code_ == 0 && ending.exit_code > 0) {
      say_last_lines(program);
      say_(fmt::format("{} ended with {} (its log: {})", program.spec.name, ending.to_string(), program.spec.log_file));
      exit_code_ = ending.exit_code;
    }
    stop_next();
    return;
  }
  const auto ends_all = [&ending](const std::vector<int>& codes) {
    return std::find(codes.begin(), codes.end(), ending.exit_code) != codes.end();
  };
  const bool fatal = ends_all(options_.fatal_exit_codes) || ends_all(program.spec.fatal_exit_codes);
  if (fatal) {
    say_last_lines(program);
    say_(fmt::format("{} ended with {}, which a restart cannot fix; stopping", program.spec.name, ending.to_string()));
    stop(ending.exit_code);
    return;
  }
  program.last_exit_code = ending.exit_code > 0 ? ending.exit_code : kExitSoftware;
  const int64_t ran = loop_.clock().mono_ns() - program.started_mono;
  if (ran >= kWellAfter) program.wait_ns = kNanosPerSecond;
  say_(fmt::format("{} ended with {}; restarting it in {} s (its log: {})", program.spec.name, ending.to_string(),
                   program.wait_ns / kNanosPerSecond, program.spec.log_file));
  program.restart_timer = loop_.call_after(program.wait_ns, [this, &program] { launch(program); });
  program.wait_ns = std::min(program.wait_ns * 2, kLongestWait);
}

void Supervisor::stop(int exit_code) {
  if (stopping_) return;
  stopping_ = true;
  exit_code_ = exit_code;
  for (const auto& program : programs_) {
    loop_.cancel_timer(program->restart_timer);
    // Stopped while waiting for a restart, so it has not completed its work.
    if (exit_code_ == 0 && program->restart_timer != 0) exit_code_ = program->last_exit_code;
  }
  kill_timer_ = loop_.call_after(options_.stop_within_ns, [this] {
    for (const auto& program : programs_) {
      if (!program->child || !program->child->running()) continue;
      say_(fmt::format("{} does not stop; killing it", program->spec.name));
      program->child->signal(SIGKILL);
    }
  });
  stop_next();
}

void Supervisor::stop_next() {
  std::vector<Program*> order;
  for (const std::string& name : stop_order_) {
    if (Program* const program = find(name)) order.push_back(program);
  }
  for (const auto& program : programs_) {
    if (std::find(order.begin(), order.end(), program.get()) == order.end()) order.push_back(program.get());
  }
  for (Program* const program : order) {
    if (!program->child || !program->child->running()) continue;
    program->child->signal(SIGTERM);
    return;  // the next one is stopped when this one has ended
  }
  loop_.stop();
}

}  // namespace monitor::supervisor
