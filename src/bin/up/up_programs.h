// UpPrograms: the programs that `monitor up` starts: their command lines, their order, and the addresses that they
// report. A program may pick a free port; the others, and the same program after a restart, then use that address.
//
// On the loop's thread. Flags and supervisor must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bin/up/up_flags.h"
#include "supervisor/supervisor.h"

namespace monitor {

class UpPrograms {
 public:
  // `drain_timeout_ns` is what `monitor up` itself may take to stop. `say` prints a line for the user. `on_address` is
  // called when server() or page() has changed.
  UpPrograms(const UpFlags& flags, std::string data, int64_t drain_timeout_ns,
             std::function<void(const std::string&)> say, std::function<void()> on_address);

  // Adds server, reader, agent and page to the supervisor, in the order of their start. Call once.
  void add_to(supervisor::Supervisor& supervisor);

  std::string sqlite_log() const { return "sqlite:" + data_ + "/log.db"; }
  // HOST:PORT and URL; empty until the program listens.
  const std::string& server() const { return server_; }
  const std::string& page() const { return page_; }

 private:
  supervisor::ProgramSpec spec(const std::string& name, std::vector<std::string> arguments) const;
  supervisor::ProgramSpec server_spec(const std::string& log) const;
  supervisor::ProgramSpec reader_spec(const std::string& log) const;
  supervisor::ProgramSpec agent_spec(const std::vector<std::string>& source) const;
  void add_page(supervisor::Supervisor& supervisor, const std::string& log, const std::vector<std::string>& source);
  void learn_page(const std::string& line, supervisor::ProgramSpec& page);
  void learn_server(const std::string& line, supervisor::ProgramSpec& server, supervisor::ProgramSpec& agent);

  const UpFlags& flags_;
  std::string data_;
  int64_t drain_timeout_ns_;
  std::function<void(const std::string&)> say_;
  std::function<void()> on_address_;
  std::string server_;
  std::string page_;
};

}  // namespace monitor
