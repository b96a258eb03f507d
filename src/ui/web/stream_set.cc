#include "ui/web/stream_set.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "ui/web/mhd_messages.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kBlock = size_t{64} * 1024;  // bytes of events that one call takes
// Events within this time of one another are sent together.
constexpr int64_t kGatherNs = 25 * kNanosPerMilli;
constexpr int64_t kFindClosedEvery = 1 * kNanosPerSecond;
// An SSE comment would be enough for proxies, but pages only see events, and must notice a dead connection.
constexpr std::string_view kAlive = "event: alive\ndata: {}\n\n";

}  // namespace

StreamSet::StreamSet(EventLoop& loop, const ServerOptions& options, EventBroadcaster& broadcaster,
                     telemetry::LoopDaemon& daemon, telemetry::Registry& registry,
                     std::function<void(Exchange&)> resume)
    : loop_(loop),
      broadcaster_(broadcaster),
      daemon_(daemon),
      resume_(std::move(resume)),
      streams_gauge_(registry.gauge("monitor_web_streams", "Event streams of browsers.")),
      resets_(registry.counter("monitor_web_stream_resets_total",
                               "Streams reset because the browser was too slow or away for too long.")),
      cut_(registry.counter("monitor_web_streams_cut_total", "Streams closed for lack of progress.")),
      ping_ns_(options.ping_ns),
      tls_(!options.tls_cert.empty()),
      // Streams never make way for requests, so a third of the connections is kept for these.
      max_streams_(std::min(options.max_streams, daemon.connections() * 2 / 3)),
      max_streams_per_address_(std::min(options.max_streams_per_address, daemon.connections() / 2)) {}

void StreamSet::start() {
  send_alive();
  find_closed();
}

void StreamSet::close() {
  closing_ = true;
  for (const EventLoop::TimerId timer : {ping_timer_, gather_timer_, closed_timer_}) loop_.cancel_timer(timer);
}

std::optional<Reply> StreamSet::add(Exchange& exchange, StreamStart start) {
  if (streams_.size() - ending_ >= max_streams_ && !make_way_for(exchange)) {
    return error_reply(503, fmt::format("all {} event streams are taken; try again in a moment", max_streams_));
  }
  if (daemon_.streams_of(exchange.request.address_group) >= max_streams_per_address_) {
    Reply refused =
        error_reply(429, fmt::format("this address has all of its {} event streams", max_streams_per_address_));
    refused.retry_after_s = 2;
    return refused;
  }
  daemon_.set_phase(exchange.connection, telemetry::HttpPhase::kStream);
  exchange.streaming = true;
  exchange.start = std::move(start);
  // A browser reconnects after 1 s, and at this position if no event has followed. The first bytes also make proxies
  // start to pass data on.
  exchange.out = fmt::format("retry: 1000\nid: {}\n{}", broadcaster_.id(exchange.start.place), kAlive);
  if (exchange.start.reset) add_reset(exchange);
  streams_.emplace(exchange.token, &exchange);
  publish_count();
  return std::nullopt;
}

MHD_Result StreamSet::send_headers(Exchange& exchange) {
  exchange.streams = this;
  MHD_Response* const response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBlock / 4, &StreamSet::on_read, &exchange, nullptr);
  if (response == nullptr) return MHD_NO;
  add_headers(response, {.content_type = "text/event-stream", .body = nullptr}, tls_);
  MHD_add_response_header(response, "X-Accel-Buffering", "no");
  const MHD_Result queued = MHD_queue_response(exchange.connection, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return queued;
}

void StreamSet::remove(Exchange& exchange, bool timed_out) {
  streams_.erase(exchange.token);
  if (exchange.gone) --ending_;
  if (timed_out) cut_.add();
  publish_count();
}

void StreamSet::publish_count() {
  streams_gauge_.set(static_cast<double>(streams_.size()));
  broadcaster_.set_streams(streams_.size());
}

void StreamSet::wake() {
  if (woken_.exchange(true)) return;
  loop_.post([this] {
    if (gather_timer_ != 0) return;
    gather_timer_ = loop_.call_after(kGatherNs, [this] {
      gather_timer_ = 0;
      woken_ = false;
      resume_all();
    });
  });
}

void StreamSet::resume_all() {
  for (auto& [token, exchange] : streams_) {
    if (!exchange->waiting) continue;
    // Most events concern only a few streams; the other streams stay suspended.
    fill(*exchange);
    if (exchange->out_at < exchange->out.size()) resume_(*exchange);
  }
}

void StreamSet::send_alive() {
  for (auto& [token, exchange] : streams_) {
    if (!exchange->waiting) continue;
    exchange->out += kAlive;
    resume_(*exchange);
  }
  ping_timer_ = loop_.call_after(ping_ns_, [this] { send_alive(); });
}

// Ends the streams of those who have logged out. And libmicrohttpd does not watch the socket of a suspended stream:
// without this, one that its client has closed would hold its place until the next event.
void StreamSet::find_closed() {
  for (auto& [token, exchange] : streams_) {
    const auto& may_continue = exchange->start.may_continue;
    if (!exchange->gone && may_continue && !may_continue(exchange->request)) end(*exchange);
    if (!exchange->waiting) continue;
    const int fd = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    pollfd closed{.fd = fd, .events = POLLRDHUP, .revents = 0};
    if (poll(&closed, 1, 0) > 0) end(*exchange);
  }
  closed_timer_ = loop_.call_after(kFindClosedEvery, [this] { find_closed(); });
}

void StreamSet::end(Exchange& exchange) {
  daemon_.cut(exchange.connection);
  exchange.gone = true;
  ++ending_;
  resume_(exchange);
}

// If all places are taken, ends the oldest stream of the address with the most streams, unless the newcomer's address
// would then have as many. So no address can shut out others, and among equals the first ones stay.
bool StreamSet::make_way_for(const Exchange& newcomer) {
  std::unordered_map<std::string, std::pair<size_t, Exchange*>> held;  // by address: how many, and the oldest
  for (auto& [token, exchange] : streams_) {
    if (exchange->gone) continue;
    auto& [count, oldest] = held[exchange->request.address_group];
    ++count;
    if (oldest == nullptr) oldest = exchange;
  }
  const auto most = std::ranges::max_element(held, {}, [](const auto& one) { return one.second.first; });
  if (most == held.end()) return false;
  const auto own = held.find(newcomer.request.address_group);
  if (most->second.first <= (own == held.end() ? 0 : own->second.first) + 1) return false;
  log_warning("a browser's stream was closed to admit another address",
              {{"address", most->first}, {"held", most->second.first}});
  end(*most->second.second);
  return true;
}

void StreamSet::add_reset(Exchange& exchange) {
  resets_.add();
  exchange.out += fmt::format("id: {}\nevent: reset\ndata: {{}}\n\n", broadcaster_.id(exchange.start.place));
}

void StreamSet::fill(Exchange& exchange) {
  if (exchange.out_at < exchange.out.size()) return;
  exchange.out.clear();
  exchange.out_at = 0;
  const auto taken = broadcaster_.take(exchange.start.place, exchange.start.topics, kBlock, exchange.out);
  exchange.start.place = taken.place;
  if (taken.lost) add_reset(exchange);
}

ssize_t StreamSet::on_read(void* self, uint64_t /*position*/, char* buffer, size_t max) {
  auto& exchange = *static_cast<Exchange*>(self);
  return exchange.streams->read(exchange, buffer, max);
}

ssize_t StreamSet::read(Exchange& exchange, char* buffer, size_t max) {
  if (closing_) return MHD_CONTENT_READER_END_OF_STREAM;
  if (exchange.gone) return MHD_CONTENT_READER_END_WITH_ERROR;
  fill(exchange);
  const size_t size = std::min(max, exchange.out.size() - exchange.out_at);
  if (size == 0) {
    exchange.suspended = exchange.waiting = true;
    MHD_suspend_connection(exchange.connection);
    return 0;
  }
  exchange.out.copy(buffer, size, exchange.out_at);
  exchange.out_at += size;
  return static_cast<ssize_t>(size);
}

}  // namespace monitor::analysis::web
