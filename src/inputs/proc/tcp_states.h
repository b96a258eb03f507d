// The number of TCP sockets in each state, of IPv4 and IPv6 together.
//
// Asks the kernel by netlink (sock_diag(7)), which costs about 0.2 us a socket. A netlink socket belongs to the agent's
// own network namespace, so that a procfs of another host, or a copied one, is read instead: net/tcp and net/tcp6,
// whose text costs ten times as much. They are also read if netlink is refused. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/disk.h"
#include "base/result.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// By the kernel's number of the state (include/net/tcp_states.h): 1 ESTABLISHED to 11 CLOSING. A socket in NEW_SYN_RECV
// (12) counts as SYN_RECV (3).
using TcpStateCounts = std::array<uint64_t, 12>;

// Adds the lines of net/tcp or net/tcp6 to `counts`.
void count_tcp_lines(std::string_view text, TcpStateCounts& counts);
// Adds the sockets of a piece of netlink's answer to `counts`. True: more pieces follow. Error: the kernel refused, or
// the piece is malformed.
Result<bool> count_tcp_messages(std::string_view piece, TcpStateCounts& counts);

class TcpStates {
 public:
  explicit TcpStates(const Roots& roots);
  Result<TcpStateCounts> read();

 private:
  Status ask(uint8_t family, TcpStateCounts& counts);
  Result<TcpStateCounts> read_files();

  bool netlink_ = false;
  Fd socket_;
  uint32_t sequence_ = 0;
  KernelFile tcp_;
  KernelFile tcp6_;
};

}  // namespace monitor::agent
