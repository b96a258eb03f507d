#include "plugins/host/host.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/exit_codes.h"

namespace monitor::plugin_host {

using plugin_wire::Load;
using plugin_wire::MessageView;
using plugin_wire::Type;
using plugin_wire::Verdict;

namespace {

constexpr size_t kMostInstances = 64;
constexpr size_t kSmall = 1024;  // bytes

}  // namespace

Host::Host(Sandbox& sandbox, Send send, Make make)
    : sandbox_(sandbox), send_(std::move(send)), make_(std::move(make)) {}
Host::~Host() = default;

Status Host::take(std::string_view packet) {
  auto message = assembler_.take(packet);
  if (!message) return message.error();
  if (!*message) return {};
  return handle(**message);
}

Status Host::handle(const MessageView& message) {
  if (message.type == Type::kLoad) {
    load(message);
    return {};
  }
  const auto found = instances_.find(message.instance);
  if (found == instances_.end()) {
    if (message.type == Type::kUnload) return {};
    return Error(Code::kInvalidArgument,
                 fmt::format("a request for instance {}, which does not exist", message.instance));
  }
  Instance& instance = *found->second;
  switch (message.type) {
    case Type::kSeries: {
      auto all = plugin_wire::decode_series(message.payload, false);
      if (!all) return all.error();
      for (auto& one : *all) instance.series().define(one.id, std::move(one.series));
      return {};
    }
    case Type::kRun:
      run(instance, message);
      return {};
    case Type::kSave: {
      auto state = instance.save();
      if (state) {
        answer(message, Type::kSaved, std::move(*state));
      } else {
        fail(message, state.error());
      }
      return {};
    }
    case Type::kRestore: {
      const Status restored = instance.restore(message.payload);
      if (restored) {
        answer(message, Type::kRestored, "");
      } else {
        fail(message, restored.error());
      }
      return {};
    }
    case Type::kUnload:
      instances_.erase(found);
      return {};
    default:
      return Error(Code::kInvalidArgument, "an answer instead of a request");
  }
}

// Tells the agent that from now on the plugin cannot undo the sandbox. No code of the plugin has run yet; the agent
// accepts the first such message of a plugin, and nothing before it.
Status Host::confine(const Load& load, uint32_t id, int library) {
  if (!confined_) {
    const auto done = sandbox_.confine(library, load.threads > 0);
    if (!done) return done.error().with_context("sandbox");
    confined_ = *done;
  }
  answer({Type::kLoad, id, 0, {}}, Type::kConfined, confined_->encode());
  return {};
}

// Only scripts share a host: what another plugin may map or read while it is loaded depends on the plugin.
Result<std::unique_ptr<Instance>> Host::make(const Load& load, uint32_t id) {
  if (load.kind != plugin_wire::Kind::kScript) {
    if (confined_ || loading_) return Error(Code::kFailedPrecondition, "this host has a plugin already");
    loading_ = true;
  }
  return make_(
      load, sandbox_, [this, &load, id](int library) { return confine(load, id, library); },
      [this, id](uint32_t level, std::string_view line) { log(id, level, line); });
}

void Host::load(const MessageView& message) {
  const auto load = Load::decode(message.payload);
  if (!load) return fail(message, load.error());
  if (instances_.size() >= kMostInstances || instances_.contains(message.instance)) {
    return fail(message, Error(Code::kResourceExhausted, "too many plugins in one host"));
  }
  auto instance = make(*load, message.instance);
  if (!instance) return fail(message, instance.error());
  const auto loaded = (*instance)->load(*load);
  if (!loaded) return fail(message, loaded.error());
  instances_.emplace(message.instance, std::move(*instance));
  answer(message, Type::kLoaded, loaded->encode());
}

void Host::run(Instance& instance, const MessageView& message) {
  const auto given = plugin_wire::decode_tick(message.payload, tick_.head);
  if (!given) return fail(message, given.error());
  tick_.count = given->size() / sizeof(metrics::Point);
  if (tick_.room.size() < tick_.count) tick_.room.resize(tick_.count);
  std::copy(given->begin(), given->end(), reinterpret_cast<char*>(tick_.room.data()));
  if (const std::string fault = fault_of(instance, std::span(tick_.room).first(tick_.count)); !fault.empty()) {
    return fail(message, Error(Code::kInvalidArgument, "the agent sent " + fault));
  }
  tick_.dropped = 0;
  auto verdict = instance.run(tick_);
  if (!verdict) return fail(message, verdict.error());
  plugin_wire::ResultHead head;
  head.verdict = *verdict;
  std::span<const metrics::Point> points;
  if (head.verdict == Verdict::kChanged) {
    points = std::span(tick_.room).first(tick_.count);
    if (std::string fault = fault_of(instance, points); !fault.empty()) {
      return fail(message, Error(Code::kInternal, "the plugin returned " + fault));
    }
    if (plugin_wire::bytes_of(points) == *given) head.verdict = Verdict::kUnchanged;
  }
  if (head.verdict != Verdict::kChanged) points = {};
  head.count = static_cast<uint32_t>(points.size());
  if (head.verdict == Verdict::kChanged) head.dropped = static_cast<uint32_t>(tick_.dropped);
  if (std::string defined = instance.series().take_new(); !defined.empty()) {
    answer({Type::kRun, message.instance, 0, {}}, Type::kDefine, std::move(defined));
  }
  const std::string_view bytes = plugin_wire::bytes_of(points);
  packet_.assign(sizeof(plugin_wire::Header), '\0');
  plugin_wire::put_result_head(packet_, head);
  const size_t total = packet_.size() - sizeof(plugin_wire::Header) + bytes.size();
  if (total > plugin_wire::kMaxPart) {
    return answer(message, Type::kResult, packet_.substr(sizeof(plugin_wire::Header)) + std::string(bytes));
  }
  const plugin_wire::Header header = plugin_wire::header_of(Type::kResult, message.instance, message.number, total);
  packet_.replace(0, sizeof header, reinterpret_cast<const char*>(&header), sizeof header);
  if (total <= kSmall) {
    // Sending one piece is faster than sending two.
    packet_.append(bytes);
    send_(packet_, {});
  } else {
    send_(packet_, bytes);
  }
}

std::string Host::fault_of(const Instance& instance, std::span<const metrics::Point> points) {
  const SeriesStore& series = instance.series();
  if (series.knows_all(points)) return points.size() > plugin_wire::kMaxPoints ? "too many points" : "";
  for (const metrics::Point& point : points) {
    if (!series.knows(point.series)) return fmt::format("a point of series {}, which does not exist", point.series);
  }
  return "a point of a series that does not exist";
}

void Host::answer(const MessageView& request, Type type, std::string payload) {
  for (const std::string& packet :
       plugin_wire::packets_of({type, request.instance, request.number, std::move(payload)})) {
    send_(packet, {});
  }
}

void Host::fail(const MessageView& request, const Error& error) {
  answer(request, Type::kFailed, error.message().substr(0, plugin_wire::kMaxText));
}

void Host::log(uint32_t id, uint32_t level, std::string_view line) {
  answer({Type::kRun, id, 0, {}}, Type::kLog, plugin_wire::LogLine{level, std::string(line)}.encode());
}

int serve(int channel, Sandbox& sandbox, Make make, const AtWork& at_work) {
  const Host::Send to_agent = [channel](std::string_view head, std::string_view rest) {
    if (rest.empty()) {
      while (send(channel, head.data(), head.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
      }
      return;
    }
    std::array<iovec, 2> parts = {
        {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(rest.data()), rest.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    while (sendmsg(channel, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
  };
  std::optional<Host> host(std::in_place, sandbox, to_agent, std::move(make));
  std::vector<char> buffer(plugin_wire::kMaxPacket);
  while (true) {
    const ssize_t n = recv(channel, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    at_work.begin();
    const bool goes_on = n > 0 && host->take({buffer.data(), static_cast<size_t>(n)});
    if (!goes_on) host.reset();  // finalizes the plugins
    at_work.end();
    if (!goes_on) return n == 0 ? kExitOk : kExitIo;
  }
}

}  // namespace monitor::plugin_host
