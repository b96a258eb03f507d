// monitor-plugin-host-python: runs one plugin that is written in Python. Only the agent starts it. It replaces itself
// with the system's interpreter, which loads the rest of the host as a module: so no library of Python need be
// installed, and any later version of it will do.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/exit_codes.h"
#include "base/program_folder.h"
#include "plugins/host/program.h"
#include "plugins/wire/wire.h"

namespace {

constexpr std::string_view kHelp =
    "monitor-plugin-host-python runs plugins written in Python for monitor-agent, which starts it. Do not start it by "
    "hand.\n"
    "  monitor-plugin-host-python CHANNEL PARENT   the descriptor of the channel, and the agent's process id\n"
    "Plugins are described in docs/plugins.md.\n";

constexpr const char* kInterpreter = "/usr/bin/python3";

// Tells the agent why there is no plugin.
int give_up(int channel, const std::string& reason) {
  for (const std::string& packet :
       monitor::plugin_wire::packets_of({monitor::plugin_wire::Type::kLastWords, 0, 0, reason})) {
    send(channel, packet.data(), packet.size(), MSG_NOSIGNAL);
  }
  return monitor::kExitUnavailable;
}

// -I: no environment, and no folder of the user. -S: no site packages that run code. -B: no files are written.
int become_interpreter(int channel) {
  std::string channel_number = std::to_string(channel);
  std::string program = monitor::program_folder() + "/python/host.py";
  if (access(program.c_str(), R_OK) != 0) {
    return give_up(channel,
                   fmt::format("{} is missing; install the package monitor-plugin-host-python again", program));
  }
  std::string name = kInterpreter;
  std::array<std::string, 6> options = {"-I", "-S", "-B", "-X", "utf8", program};
  std::array<char*, 9> arguments = {name.data()};
  for (size_t i = 0; i < options.size(); ++i) arguments.at(i + 1) = options.at(i).data();
  arguments[7] = channel_number.data();
  // Libraries must not start threads of their own before the sandbox is complete.
  std::array<std::string, 4> settings = {"LIBC_FATAL_STDERR_=1", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1",
                                         "MALLOC_ARENA_MAX=2"};
  std::array<char*, 5> environment = {};
  for (size_t i = 0; i < settings.size(); ++i) environment.at(i) = settings.at(i).data();
  execve(kInterpreter, arguments.data(), environment.data());
  if (errno == ENOENT) {
    return give_up(channel,
                   fmt::format("it needs Python, and there is no {0}; install the package python3", kInterpreter));
  }
  return give_up(channel, monitor::errno_error(errno, kInterpreter).message());
}

}  // namespace

int main(int argc, char** argv) {
  return monitor::plugin_host::run_host(argc, argv,
                                        {"monitor-plugin-host-python", MONITOR_VERSION, kHelp, become_interpreter});
}
