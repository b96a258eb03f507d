// The simulated network: connections carry the bytes of the real client and server sessions in order and with a delay,
// until they are cut or silently lost. Single-threaded; the schedule must outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "grpc/byte_machine.h"
#include "grpc/client_session.h"
#include "simulation/schedule.h"

namespace monitor::simulation {

// One connection. A detached side has closed its socket; the other side learns this after the earlier data.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  enum Side : size_t { kClient = 0, kServer = 1 };

  Link(Schedule& schedule, const Timers* client, uint16_t server)
      : schedule_(schedule), client_(client), server_(server) {}

  void attach(Side side, grpc::ByteMachine& machine) { machines_[side] = &machine; }
  void detach(Side side);
  // Opens the connection: both sides may send.
  void open(int64_t delay_ns);
  // Call it when a side has output.
  void wanted(Side side);

  // --- faults
  // Cuts the connection. Each side learns this after its own delay.
  void cut(Random& random);
  // Discards everything that this side sends from now on. The sender notices when its TCP gives up.
  void black_hole(Side from, int64_t give_up_ns);
  void set_delay(int64_t ns) { delay_ns_ = ns; }

  bool alive() const { return machines_[kClient] != nullptr && machines_[kServer] != nullptr; }
  uint16_t server() const { return server_; }
  // The client's host.
  const Timers* client() const { return client_; }
  void lose(Side side, const std::string& why);

 private:
  void flush(Side side);
  void send(Side from, std::string bytes);
  void arrive(Side to, const std::string& bytes);
  static Side other(Side side) { return side == kClient ? kServer : kClient; }

  Schedule& schedule_;
  const Timers* client_;
  uint16_t server_;
  bool open_ = false;
  int64_t delay_ns_ = 0;
  std::array<grpc::ByteMachine*, 2> machines_{};
  std::array<bool, 2> flushing_{};
  std::array<bool, 2> blocked_{};
  std::array<bool, 2> dead_{};
  std::array<int64_t, 2> give_up_ns_{};
  std::array<int64_t, 2> last_ns_{};  // arrival time of the last data sent
  std::array<size_t, 2> under_way_{};
};

// A listening socket.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  // Accepts a connection by attaching the server's side.
  virtual void accept(const std::shared_ptr<Link>& link) = 0;
};

class Network {
 public:
  Network(Schedule& schedule, Random& random) : schedule_(schedule), random_(random) {}

  // nullptr: nothing listens on the port, and connections are refused.
  void listen(uint16_t port, Acceptor* acceptor) { acceptors_[port] = acceptor; }
  // Connection attempts to the port get no answer until then.
  void hide(uint16_t port, int64_t until_ns) { hidden_[port] = until_ns; }
  // Opens an agent's connection to a port; `timers` are those of its host. Its destructor closes the connection.
  std::unique_ptr<grpc::CallStarter> connect(Timers& timers, grpc::ClientSessionOptions options, uint16_t port);
  // The open connections, oldest first.
  std::vector<std::shared_ptr<Link>> links();
  void heal();

 private:
  class Connection;
  void reached(const std::shared_ptr<Link>& link);

  Schedule& schedule_;
  Random& random_;
  std::map<uint16_t, Acceptor*> acceptors_;
  std::map<uint16_t, int64_t> hidden_;
  std::vector<std::weak_ptr<Link>> links_;
};

}  // namespace monitor::simulation
