#include "inputs/proc/tcp_states.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "base/log.h"

namespace monitor::agent {

namespace {

constexpr size_t kPieceBytes = 32'768;
constexpr int kMostPieces = 100'000;  // 10 million sockets
constexpr uint64_t kSynReceived = 3;
constexpr uint64_t kNewSynReceived = 12;

void count(uint64_t state, TcpStateCounts& counts) {
  if (state == kNewSynReceived) state = kSynReceived;
  if (state >= 1 && state < counts.size()) ++counts[state];
}

}  // namespace

void count_tcp_lines(std::string_view text, TcpStateCounts& counts) {
  next_line(text);  // names
  while (!text.empty()) {
    Fields fields(next_line(text));
    fields.skip(3);  // number, addresses
    const std::string_view digits = fields.next();
    uint64_t state = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), state, 16);
    if (end.ec == std::errc() && end.ptr == digits.data() + digits.size()) count(state, counts);
  }
}

Result<bool> count_tcp_messages(std::string_view piece, TcpStateCounts& counts) {
  while (piece.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, piece.data(), sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > piece.size()) {
      return Error(Code::kDataLoss, "sock_diag: a message is longer than its piece");
    }
    const std::string_view body = piece.substr(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
    if (head.nlmsg_type == NLMSG_DONE) return false;
    if (head.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr fault{};
      if (body.size() >= sizeof(int)) std::memcpy(&fault.error, body.data(), sizeof(int));
      return errno_error(fault.error == 0 ? EPROTO : -fault.error, "sock_diag: asking for TCP sockets");
    }
    if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && body.size() >= offsetof(inet_diag_msg, idiag_timer)) {
      count(static_cast<uint8_t>(body[offsetof(inet_diag_msg, idiag_state)]), counts);
    }
    piece.remove_prefix(std::min<size_t>(piece.size(), NLMSG_ALIGN(head.nlmsg_len)));
  }
  return true;
}

TcpStates::TcpStates(const Roots& roots)
    : netlink_(roots.procfs == "/proc"),
      tcp_(roots.host_namespace_path("net/tcp")),
      tcp6_(roots.host_namespace_path("net/tcp6")) {}

Result<TcpStateCounts> TcpStates::read() {
  if (!netlink_) return read_files();
  TcpStateCounts counts{};
  Status asked = ask(AF_INET, counts);
  if (asked) asked = ask(AF_INET6, counts);
  if (asked) return counts;
  log_info("TCP sockets by state are read from /proc/net/tcp, which costs more", {{"reason", asked.error().message()}});
  socket_.reset();
  netlink_ = false;
  return read_files();
}

Status TcpStates::ask(uint8_t family, TcpStateCounts& counts) {
  if (!socket_.valid()) {
    socket_ = Fd(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket_.valid()) return errno_error(errno, "opening a netlink socket for sock_diag");
  }
  struct {
    nlmsghdr head{};
    inet_diag_req_v2 body{};
  } request;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.head.nlmsg_seq = ++sequence_;
  request.body.sdiag_family = family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = UINT32_MAX;
  if (send(socket_.get(), &request, sizeof request, 0) < 0) return errno_error(errno, "sock_diag: sending a request");
  std::vector<char> piece(kPieceBytes);
  for (int pieces = 0; pieces < kMostPieces;) {
    const ssize_t size = recv(socket_.get(), piece.data(), piece.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return errno_error(size == 0 ? EPROTO : errno, "sock_diag: receiving the answer");
    ++pieces;
    const auto more = count_tcp_messages({piece.data(), static_cast<size_t>(size)}, counts);
    if (!more) return more.error();
    if (!*more) return {};
  }
  return Error(Code::kResourceExhausted, "sock_diag: the answer has over 100000 pieces");
}

Result<TcpStateCounts> TcpStates::read_files() {
  TcpStateCounts counts{};
  const auto text = tcp_.read();
  if (!text) return text.error();
  count_tcp_lines(*text, counts);
  // Without IPv6 there is no such file.
  if (const auto text6 = tcp6_.read()) count_tcp_lines(*text6, counts);
  return counts;
}

}  // namespace monitor::agent
