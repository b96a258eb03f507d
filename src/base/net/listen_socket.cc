#include "base/net/listen_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

namespace monitor {

namespace {

Error failed(const std::string& what) {
  const int error_number = errno;
  const Code code = error_number == EADDRINUSE ? Code::kAlreadyExists : Code::kUnavailable;
  return {code, errno_error(error_number, what).message()};
}

}  // namespace

Result<Fd> bind_tcp(const SocketAddress& address, const ListenOptions& options, const std::string& what) {
  Fd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failed(what);
  const int on = 1;
  const int v6_only = options.dual_stack ? 0 : 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.reuse_port) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address.family() == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (bind(fd.get(), address.get(), address.length) != 0) return failed(what);
  return fd;
}

Result<Fd> listen_tcp(const SocketAddress& address, const ListenOptions& options, const std::string& what) {
  auto fd = bind_tcp(address, options, what);
  if (fd && listen(fd->get(), options.backlog) != 0) return failed(what);
  return fd;
}

uint16_t bound_port(int fd) {
  SocketAddress address;
  address.length = sizeof address.storage;
  return getsockname(fd, address.get(), &address.length) == 0 ? address.port() : 0;
}

}  // namespace monitor
