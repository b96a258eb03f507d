#include "simulation/network.h"

#include <algorithm>
#include <utility>

namespace monitor::simulation {

namespace {

// Bytes that a socket buffers before it blocks.
constexpr size_t kSocketBuffer = size_t{64} * 1024;
constexpr int64_t kConnectTimeout = 10 * kNanosPerSecond;

Error gone(const std::string& why) { return Error(Code::kUnavailable, why); }

}  // namespace

void Link::open(int64_t delay_ns) {
  open_ = true;
  delay_ns_ = delay_ns;
  wanted(kClient);
  wanted(kServer);
}

void Link::wanted(Side side) {
  if (flushing_[side] || machines_[side] == nullptr || !open_) return;
  flushing_[side] = true;
  schedule_.after(0, [self = shared_from_this(), side] { self->flush(side); });
}

void Link::flush(Side side) {
  flushing_[side] = false;
  while (grpc::ByteMachine* const machine = machines_[side]) {
    if (under_way_[side] >= kSocketBuffer) {
      blocked_[side] = true;
      return;
    }
    const std::string_view bytes = machine->pending_output();
    if (bytes.empty()) {
      if (machine->finished()) detach(side);
      return;
    }
    const size_t size = bytes.size();
    send(side, std::string(bytes));
    machine->consume_output(size);
  }
}

void Link::send(Side from, std::string bytes) {
  if ((dead_[from] || dead_[other(from)]) && give_up_ns_[from] != 0) {
    // TCP gives up on unacknowledged data after some time.
    schedule_.after(std::exchange(give_up_ns_[from], 0),
                    [self = shared_from_this(), from] { self->lose(from, "the peer does not respond"); });
  }
  if (dead_[from]) return;
  under_way_[from] += bytes.size();
  last_ns_[from] = std::max(last_ns_[from], schedule_.now_ns() + delay_ns_);
  schedule_.at(last_ns_[from],
               [self = shared_from_this(), to = other(from), bytes = std::move(bytes)] { self->arrive(to, bytes); });
}

void Link::arrive(Side to, const std::string& bytes) {
  const Side from = other(to);
  under_way_[from] -= bytes.size();
  if (!dead_[from] && machines_[to] != nullptr) machines_[to]->receive(bytes);
  if (std::exchange(blocked_[from], false)) wanted(from);
}

void Link::detach(Side side) {
  if (std::exchange(machines_[side], nullptr) == nullptr || !open_ || dead_[side]) return;
  last_ns_[side] = std::max(last_ns_[side], schedule_.now_ns() + delay_ns_);
  schedule_.at(last_ns_[side], [self = shared_from_this(), to = other(side)] {
    if (!self->dead_[other(to)]) self->lose(to, "the peer closed the connection");
  });
}

void Link::lose(Side side, const std::string& why) {
  if (grpc::ByteMachine* const machine = std::exchange(machines_[side], nullptr)) machine->connection_lost(gone(why));
}

void Link::cut(Random& random) {
  dead_ = {true, true};
  for (const Side side : {kClient, kServer}) {
    schedule_.after(static_cast<int64_t>(random.below(50)) * kNanosPerMilli,
                    [self = shared_from_this(), side] { self->lose(side, "connection reset"); });
  }
}

void Link::black_hole(Side from, int64_t give_up_ns) {
  if (std::exchange(dead_[from], true)) return;
  give_up_ns_ = {give_up_ns, give_up_ns};
}

// The client's end of a link.
class Network::Connection final : public grpc::CallStarter, private grpc::ClientSessionHandler {
 public:
  Connection(Timers& timers, const grpc::ClientSessionOptions& options, std::shared_ptr<Link> link)
      : link_(std::move(link)), session_(timers, options, *this) {
    link_->attach(Link::kClient, session_);
  }
  ~Connection() override { link_->detach(Link::kClient); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::unique_ptr<grpc::ClientCall> start(std::string_view path, const grpc::CallOptions& options,
                                          grpc::ClientCallHandler& handler) override {
    return session_.start(path, options, handler);
  }

 private:
  void on_output_wanted() override { link_->wanted(Link::kClient); }

  std::shared_ptr<Link> link_;
  grpc::ClientSession session_;
};

std::unique_ptr<grpc::CallStarter> Network::connect(Timers& timers, grpc::ClientSessionOptions options, uint16_t port) {
  options.authority = "server";
  auto link = std::make_shared<Link>(schedule_, &timers, port);
  links_.push_back(link);
  auto connection = std::make_unique<Connection>(timers, options, link);
  if (hidden_[port] > schedule_.now_ns()) {
    schedule_.after(kConnectTimeout, [link] { link->lose(Link::kClient, "connecting timed out"); });
  } else {
    schedule_.after(kNanosPerMilli / 2 + static_cast<int64_t>(random_.below(2'000'000)),
                    [this, link] { reached(link); });
  }
  return connection;
}

void Network::reached(const std::shared_ptr<Link>& link) {
  Acceptor* const acceptor = acceptors_[link->server()];
  if (acceptor == nullptr) return link->lose(Link::kClient, "connection refused");
  acceptor->accept(link);
  link->open(kNanosPerMilli / 10 + static_cast<int64_t>(random_.below(2'000'000)));
}

std::vector<std::shared_ptr<Link>> Network::links() {
  std::vector<std::shared_ptr<Link>> result;
  std::erase_if(links_, [&](const std::weak_ptr<Link>& one) {
    const auto link = one.lock();
    if (link && link->alive()) result.push_back(link);
    return !link;
  });
  return result;
}

void Network::heal() {
  hidden_.clear();
  for (const auto& link : links()) link->set_delay(kNanosPerMilli);
}

}  // namespace monitor::simulation
