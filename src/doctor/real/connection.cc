#include "doctor/real/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "doctor/x509.h"

namespace monitor::doctor {

namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using ContextPointer = std::unique_ptr<SSL_CTX, FreeContext>;

Result<std::vector<SocketAddress>> resolve(const HostPort& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return Error(Code::kUnavailable, fmt::format("cannot resolve {}: {}", address.host, gai_strerror(error)));
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress copy;
    memcpy(&copy.storage, one->ai_addr, one->ai_addrlen);
    copy.length = one->ai_addrlen;
    addresses.push_back(copy);
  }
  freeaddrinfo(found);
  return addresses;
}

// A private context for one connection; nothing is shared or cached.
Result<ContextPointer> make_context(const TlsFiles& files) {
  ContextPointer context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // The verdict is read from SSL_get_verify_result(): a bad certificate is what a check wants to see.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const auto failed = [](const std::string& file) {
    return Error(Code::kInvalidArgument, fmt::format("{}: {}", file, openssl_reason()));
  };
  if (files.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), files.ca.c_str(), nullptr) != 1) {
    return failed(files.ca);
  }
  if (!files.crl.empty()) {
    if (SSL_CTX_load_verify_locations(context.get(), files.crl.c_str(), nullptr) != 1) return failed(files.crl);
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context.get()), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  if (files.certificate.empty()) return context;
  const bool own = SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) == 1 &&
                   SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1;
  ERR_clear_error();
  if (!own) return make_context({.ca = files.ca, .crl = files.crl});
  return context;
}

}  // namespace

struct Connection::Impl {
  Fd fd;
  std::string name;
  int64_t deadline = 0;
  int64_t timeout_ns = 0;
  ContextPointer context;
  std::unique_ptr<SSL, FreeSsl> ssl;
  PeerChain chain;

  int64_t left_ms() const {
    const int64_t left = deadline - SystemClock().mono_ns();
    return left <= 0 ? 0 : left / kNanosPerMilli + 1;
  }
  Error late() const {
    return Error(Code::kDeadlineExceeded,
                 fmt::format("no answer within {:.1f} s", static_cast<double>(timeout_ns) / 1e9));
  }
  Status wait(short events) const {
    pollfd one{fd.get(), events, 0};
    while (true) {
      const int64_t ms = left_ms();
      if (ms == 0) return late();
      const int ready = poll(&one, 1, static_cast<int>(std::min<int64_t>(ms, INT32_MAX)));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return errno_error(errno, "poll");
    }
  }
  // Waits for what OpenSSL needs; an error if it failed for good.
  Status wait_for_ssl(int result, const char* what) const {
    const int error = SSL_get_error(ssl.get(), result);
    if (error == SSL_ERROR_WANT_READ) return wait(POLLIN);
    if (error == SSL_ERROR_WANT_WRITE) return wait(POLLOUT);
    if (error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0) {
      return Error(Code::kUnavailable, fmt::format("{}: the peer closed the connection", what));
    }
    return Error(Code::kUnavailable, fmt::format("{}: {}", what, openssl_reason()));
  }
  Status connect_to(const SocketAddress& address) {
    fd = Fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return errno_error(errno, "socket");
    if (connect(fd.get(), address.get(), address.length) == 0) return {};
    if (errno != EINPROGRESS) return Error(Code::kUnavailable, errno_error(errno, "connect").message());
    if (Status ready = wait(POLLOUT); !ready) return ready;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Error(Code::kUnavailable, errno_error(error, "connect").message());
    return {};
  }
  void take_chain();
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;
const PeerChain& Connection::chain() const { return impl_->chain; }

Result<std::unique_ptr<Connection>> Connection::open(const HostPort& address, int64_t timeout_ns) {
  auto impl = std::make_unique<Impl>();
  impl->name = address.to_string();
  impl->timeout_ns = timeout_ns;
  impl->deadline = SystemClock().mono_ns() + timeout_ns;
  const auto addresses = resolve(address);
  if (!addresses) return addresses.error();
  Status connected = Error(Code::kUnavailable, "no address");
  for (const SocketAddress& one : *addresses) {
    connected = impl->connect_to(one);
    if (connected) return std::unique_ptr<Connection>(new Connection(std::move(impl)));
  }
  return connected.error();
}

void Connection::Impl::take_chain() {
  STACK_OF(X509)* const found = SSL_get_peer_cert_chain(ssl.get());
  for (int i = 0; found != nullptr && i < sk_X509_num(found); ++i)
    chain.chain.push_back(facts_of(sk_X509_value(found, i)));
  chain.protocol = SSL_get_version(ssl.get());
  const long fault = SSL_get_verify_result(ssl.get());
  if (fault != X509_V_OK) chain.fault = X509_verify_cert_error_string(fault);
}

Status Connection::start_tls(const std::string& server_name, const TlsFiles& files, const std::string& alpn) {
  auto context = make_context(files);
  if (!context) return context.error();
  impl_->context = std::move(*context);
  impl_->ssl.reset(SSL_new(impl_->context.get()));
  SSL* const ssl = impl_->ssl.get();
  const bool numeric = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str()) == 1;
  if (!numeric) {
    SSL_set1_host(ssl, server_name.c_str());
    SSL_set_tlsext_host_name(ssl, server_name.c_str());
  }
  ERR_clear_error();
  if (!alpn.empty()) {
    const std::string wire = static_cast<char>(alpn.size()) + alpn;
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()), static_cast<unsigned>(wire.size()));
  }
  SSL_set_fd(ssl, impl_->fd.get());
  while (true) {
    const int result = SSL_connect(ssl);
    if (result == 1) break;
    if (Status ready = impl_->wait_for_ssl(result, "TLS handshake"); !ready) return ready;
  }
  impl_->take_chain();
  return {};
}

Status Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (impl_->ssl) {
      const int result = SSL_write(impl_->ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (result <= 0) {
        if (Status ready = impl_->wait_for_ssl(result, "writing"); !ready) return ready;
        continue;
      }
      sent = result;
    } else {
      sent = send(impl_->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) {
        if (Status ready = impl_->wait(POLLOUT); !ready) return ready;
        continue;
      }
      if (sent < 0) return Error(Code::kUnavailable, errno_error(errno, "writing").message());
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

Result<bool> Connection::read(std::string& into) {
  std::array<char, 16384> buffer{};
  while (true) {
    if (impl_->left_ms() == 0) return impl_->late();
    if (impl_->ssl) {
      const int got = SSL_read(impl_->ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (got > 0) {
        into.append(buffer.data(), static_cast<size_t>(got));
        return true;
      }
      if (SSL_get_error(impl_->ssl.get(), got) == SSL_ERROR_ZERO_RETURN) return false;
      if (Status ready = impl_->wait_for_ssl(got, "reading"); !ready) return ready.error();
      continue;
    }
    const ssize_t got = recv(impl_->fd.get(), buffer.data(), buffer.size(), 0);
    if (got >= 0) {
      into.append(buffer.data(), static_cast<size_t>(got));
      return got > 0;
    }
    if (errno != EAGAIN && errno != EINTR) return Error(Code::kUnavailable, errno_error(errno, "reading").message());
    if (Status ready = impl_->wait(POLLIN); !ready) return ready.error();
  }
}

}  // namespace monitor::doctor
