#include "config/etcd/watch_stream.h"

#include <fmt/format.h>

#include <utility>

#include "config/etcd/messages.h"

namespace monitor::config {

namespace {

constexpr size_t kMaxFragmentBytes = size_t{64} * 1024 * 1024;

}  // namespace

void WatchStream::close() {
  call_.reset();
  timers_.cancel_timer(std::exchange(timer_, 0));
  fragments_.clear();
  fragment_bytes_ = 0;
}

void WatchStream::open(const std::vector<KeyRange>& ranges, int64_t timeout_ns) {
  close();
  watches_ = ranges.size();
  created_ = 0;
  endpoint_ = client_.endpoint();
  opened_at_revision_ = keys_.revision();
  std::vector<std::string> requests;
  for (const KeyRange& range : ranges) {
    pb::WatchRequest request;
    pb::WatchCreateRequest& create = *request.mutable_create_request();
    create.set_key(range.key);
    create.set_range_end(range.end);
    create.set_start_revision(opened_at_revision_ + 1);
    create.set_fragment(true);
    requests.push_back(request.SerializeAsString());
  }
  timer_ = timers_.call_after(timeout_ns, [this] { on_timeout(); });
  call_ = client_.stream(
      kWatchPath, std::move(requests), [this](std::string_view message) { on_message(message); },
      [this](const Error& reason) { listener_.on_watch_failed(reason); });
}

void WatchStream::on_timeout() {
  timer_ = 0;
  const Error reason(Code::kUnavailable, "etcd has not confirmed the watch in time");
  if (client_.endpoints() > 1) {
    client_.give_up(reason);  // which ends the stream
  } else {
    listener_.on_watch_failed(reason);
  }
}

void WatchStream::on_message(std::string_view bytes) {
  auto response = parse_message<pb::WatchResponse>(bytes);
  if (!response) {
    listener_.on_watch_failed(response.error());
  } else if (response->header().cluster_id() != keys_.cluster_id()) {
    listener_.on_watch_failed(Error(Code::kUnavailable, "the watch is answered by another cluster"));
  } else if (response->canceled()) {
    on_cancelled(*response);
  } else if (response->created()) {
    on_created(*response);
  } else {
    on_events(*response);
  }
}

// The header has no revision, so only the reason is used.
void WatchStream::on_cancelled(const pb::WatchResponse& response) {
  if (response.created()) {
    client_.forget_token();
    listener_.on_watch_failed(Error(Code::kPermissionDenied, "etcd refused the watch: " + response.cancel_reason()));
  } else if (response.compact_revision() == 0) {
    listener_.on_watch_failed(Error(Code::kUnavailable, "etcd cancelled the watch: " + response.cancel_reason()));
  } else {
    listener_.on_watch_compacted(response.compact_revision());
  }
}

void WatchStream::on_created(const pb::WatchResponse& response) {
  // Compares with the revision at open(), not with the cache's current one. The answer has the revision at which etcd
  // accepted the request, and an event of another watch of this stream may arrive before it.
  if (response.header().revision() < opened_at_revision_) {
    const Error reason(Code::kUnavailable, fmt::format("etcd is at revision {}, behind {}, up to which it was read",
                                                       response.header().revision(), opened_at_revision_));
    client_.give_up(reason);  // this member lags; use another one
    return;
  }
  if (++created_ != watches_) return;
  timers_.cancel_timer(std::exchange(timer_, 0));
  listener_.on_watch_established();
}

void WatchStream::on_events(pb::WatchResponse& response) {
  auto found = fragments_.find(response.watch_id());
  if (response.fragment() || found != fragments_.end()) {
    fragment_bytes_ += response.ByteSizeLong();
    if (fragment_bytes_ > kMaxFragmentBytes) {
      listener_.on_watch_failed(Error(Code::kResourceExhausted, "a fragmented watch response exceeds the limit"));
      return;
    }
    pb::WatchResponse& whole = fragments_[response.watch_id()];
    whole.mutable_events()->MergeFrom(response.events());
    if (response.fragment()) return;
    response.mutable_events()->Swap(whole.mutable_events());
    fragments_.erase(response.watch_id());
    if (fragments_.empty()) fragment_bytes_ = 0;
  }
  for (const pb::Event& event : response.events()) listener_.on_watch_event(event);
}

}  // namespace monitor::config
