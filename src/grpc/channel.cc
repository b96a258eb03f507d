#include "grpc/channel.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "grpc/client_connection.h"

namespace monitor::grpc {

class Channel::Impl final : public std::enable_shared_from_this<Impl>, public ClientConnection::Events {
 public:
  Impl(EventLoop& loop, Resolver& resolver, ChannelOptions options, ChannelListener* listener)
      : loop_(loop), resolver_(resolver), options_(std::move(options)), listener_(listener) {}

  void connect() {
    if (current_ != nullptr) return;
    ready_ = false;
    current_ = std::make_shared<ClientConnection>(loop_, resolver_, options_, *this);
    current_->begin();
  }

  ClientSession& session() {
    connect();
    return current_->session();
  }

  void close() {
    std::vector<std::shared_ptr<ClientConnection>> open = others_;
    if (current_ != nullptr) {
      others_.push_back(std::exchange(current_, nullptr));
      open.push_back(others_.back());
    }
    for (const auto& connection : open) connection->fail(Error(Code::kCancelled, "the channel was closed"));
  }

  void detach() {
    listener_ = nullptr;
    if (current_ != nullptr) current_->abandon();
    for (const auto& connection : others_) connection->abandon();
  }

  ChannelState state() const {
    if (current_ == nullptr) return ChannelState::kIdle;
    return ready_ ? ChannelState::kReady : ChannelState::kConnecting;
  }
  std::string peer() const { return current_ == nullptr ? "" : current_->peer(); }

 private:
  void on_connection_ready(ClientConnection& connection) override {
    if (current_.get() != &connection) return;
    ready_ = true;
    if (listener_ != nullptr) listener_->on_ready();
  }

  void on_connection_goaway(ClientConnection& connection, const GoAway& goaway) override {
    if (current_.get() != &connection) return;
    const std::shared_ptr<Impl> keep = shared_from_this();
    others_.push_back(std::exchange(current_, nullptr));
    if (listener_ != nullptr) listener_->on_goaway(goaway);
  }

  void on_connection_gone(ClientConnection& connection, const Error& reason) override {
    const std::shared_ptr<Impl> keep = shared_from_this();
    if (current_.get() != &connection) {
      std::erase_if(others_, [&](const auto& other) { return other.get() == &connection; });
      return;
    }
    current_ = nullptr;
    if (listener_ != nullptr) listener_->on_closed(reason);
  }

  EventLoop& loop_;
  Resolver& resolver_;
  const ChannelOptions options_;
  ChannelListener* listener_;
  std::shared_ptr<ClientConnection> current_;
  std::vector<std::shared_ptr<ClientConnection>> others_;  // after GOAWAY, or closing
  bool ready_ = false;
};

Channel::Channel(EventLoop& loop, Resolver& resolver, ChannelOptions options, ChannelListener* listener)
    : impl_(std::make_shared<Impl>(loop, resolver, std::move(options), listener)),
      unary_(std::make_unique<UnaryCalls>(*this)) {}

Channel::~Channel() {
  unary_.reset();
  impl_->detach();
}

void Channel::connect() { impl_->connect(); }

std::unique_ptr<ClientCall> Channel::start(std::string_view path, const CallOptions& options,
                                           ClientCallHandler& handler) {
  return impl_->session().start(path, options, handler);
}

void Channel::unary(std::string_view path, std::string_view request, const CallOptions& options,
                    UnaryCalls::Callback callback) {
  unary_->start(path, request, options, std::move(callback));
}

void Channel::close() { impl_->close(); }
ChannelState Channel::state() const { return impl_->state(); }
std::string Channel::peer() const { return impl_->peer(); }

}  // namespace monitor::grpc
