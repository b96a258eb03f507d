#include "base/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace monitor {

namespace {

constexpr int64_t kNanosPerMicro = 1000;
// Two keep-alives in each period, as sd_watchdog_enabled(3) recommends: one that is late does no harm.
constexpr int64_t kPerPeriod = 2;

std::string variable(const char* name) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return text == nullptr ? "" : text;
}

// Returns 0 if the manager expects no keep-alives from this process.
int64_t keep_alive_period(const ServiceEnvironment& environment, pid_t self) {
  if (!environment.watchdog_pid.empty() && parse_u64(environment.watchdog_pid) != static_cast<uint64_t>(self)) return 0;
  const auto usec = parse_u64(environment.watchdog_usec);
  if (!usec || *usec == 0) return 0;
  constexpr uint64_t kMost = uint64_t{INT64_MAX} / kNanosPerMicro;
  return std::max<int64_t>(1, static_cast<int64_t>(std::min(*usec, kMost)) * kNanosPerMicro / kPerPeriod);
}

}  // namespace

ServiceEnvironment ServiceEnvironment::read() {
  return {variable("NOTIFY_SOCKET"), variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")};
}

ServiceNotifier::ServiceNotifier(Timers& timers, const ServiceEnvironment& environment, pid_t self)
    : timers_(timers), socket_(environment.notify_socket) {
  if (socket_.empty()) return;
  const bool fits = socket_.size() < sizeof(sockaddr_un::sun_path);
  if (fits && (socket_.front() == '/' || socket_.front() == '@')) {
    fd_ = Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  if (!fd_.valid()) {
    log_warning("the service manager cannot be notified; it will see the start as failed",
                {{"socket", socket_}, {"expected", "a path, or @ and a name, in NOTIFY_SOCKET"}});
    return;
  }
  period_ns_ = keep_alive_period(environment, self);
}

ServiceNotifier::~ServiceNotifier() { timers_.cancel_timer(timer_); }

void ServiceNotifier::ready() {
  if (!fd_.valid()) return;
  send("READY=1" + status_line());
  if (period_ns_ > 0 && timer_ == 0) keep_alive();
}

void ServiceNotifier::stopping() { send("STOPPING=1"); }

void ServiceNotifier::keep_alive() {
  timer_ = timers_.call_after(period_ns_, [this] { keep_alive(); });
  if (probe_) {
    probe_([this] { send("WATCHDOG=1" + status_line()); });
  } else {
    send("WATCHDOG=1" + status_line());
  }
}

std::string ServiceNotifier::status_line() {
  if (!status_) return "";
  std::string status = status_();
  std::ranges::replace(status, '\n', ' ');
  if (status == last_status_) return "";
  last_status_ = status;
  return "\nSTATUS=" + status;
}

void ServiceNotifier::send(std::string message) {
  if (!fd_.valid()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  (void)!sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                length);
}

}  // namespace monitor
