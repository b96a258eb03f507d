#include "plugins/host/program.h"

#include <sys/socket.h>

#include <iostream>

#include "base/exit_codes.h"
#include "base/standard_streams.h"
#include "base/text.h"
#include "plugins/host/sandbox.h"

namespace monitor::plugin_host {

int run_host(int argc, char** argv, const HostProgram& program) {
  open_standard_descriptors();
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-h") {
    std::cout << program.help;
    return kExitOk;
  }
  if (first == "--version") {
    std::cout << program.name << " " << program.version << "\n";
    return kExitOk;
  }
  const auto channel = argc == 3 ? parse_u64(argv[1]) : std::nullopt;
  const auto parent = argc == 3 ? parse_u64(argv[2]) : std::nullopt;
  int type = 0;
  socklen_t size = sizeof type;
  if (!channel || !parent || getsockopt(static_cast<int>(*channel), SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_SEQPACKET) {
    std::cerr << program.help;
    return kExitUsage;
  }
  if (!follow_parent(static_cast<int>(*parent))) return kExitUnavailable;
  return program.serve(static_cast<int>(*channel));
}

}  // namespace monitor::plugin_host
