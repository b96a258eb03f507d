#include "config/etcd/etcd_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/etcd/key_cache.h"
#include "config/etcd/messages.h"

namespace monitor::config {

namespace {

constexpr size_t kMaxKeys = 100;  // etcd's limit of a transaction is 128
constexpr size_t kMaxFragmentBytes = size_t{64} * 1024 * 1024;

}  // namespace

struct EtcdSource::Impl {
  Impl(Timers& t, Random& r, EtcdClient& c, const EtcdSourceOptions& given)
      : timers(t), random(r), client(c), options(given), backoff(r, given.backoff_base_ns, given.backoff_cap_ns) {}
  ~Impl() { stop(); }

  using OnSnapshot = void (Impl::*)(const Snapshot&);

  int64_t patience(int64_t ns) const { return backoff.patience_ns(ns, options.patience_cap_ns); }
  void begin();
  void stop();
  void read(OnSnapshot then);
  void on_first_read(const Snapshot& snapshot);
  void on_reconcile_read(const Snapshot& snapshot);
  void on_whole_read(const Snapshot& snapshot);
  bool went_back(const Snapshot& snapshot) const;
  void take(const Snapshot& snapshot);

  void open_watch();
  void on_watch_message(std::string_view bytes);
  void on_watch_cancelled(const pb::WatchResponse& response);
  void on_created(const pb::WatchResponse& response);
  void on_events(pb::WatchResponse& response);
  void on_event(const pb::Event& event);
  void established();

  void schedule_probe();
  void probe();
  void schedule_reconcile();
  void fail(const Error& reason);
  void schedule_tell(int64_t after_ns = 0);
  bool may_lag() const;
  void confirm();
  void on_confirmed(const Snapshot& snapshot);
  void tell();

  Timers& timers;
  Random& random;
  EtcdClient& client;
  EtcdSourceOptions options;
  Backoff backoff;
  WatchSet what;
  std::vector<KeyRange> ranges;  // the same, as etcd is asked
  ConfigListener* listener = nullptr;
  State state;

  KeyCache keys;
  bool at_one_revision = true;    // they stood together; else events have come since, and may lag
  int64_t revision_at_read = 0;   // when the read under way was sent
  int64_t revision_at_watch = 0;  // when the watch was asked for

  // What the listener was told.
  bool told = false;
  bool lost = false;
  int64_t told_revision = 0;
  bool changed = false;  // since then

  std::string endpoint;
  int64_t established_ns = 0;
  bool compacted = false;  // and nothing good since
  size_t created = 0;
  std::map<int64_t, pb::WatchResponse> fragments;  // by watch
  size_t fragment_bytes = 0;
  std::unique_ptr<EtcdCall> watch_call;
  std::unique_ptr<EtcdCall> read_call;
  std::unique_ptr<EtcdCall> confirm_call;
  std::unique_ptr<EtcdCall> probe_call;
  Timers::TimerId calm_timer = 0;
  Timers::TimerId open_timer = 0;
  Timers::TimerId probe_timer = 0;
  Timers::TimerId reconcile_timer = 0;
  Timers::TimerId retry_timer = 0;
  Timers::TimerId tell_timer = 0;
};

// --- Reading.

void EtcdSource::Impl::begin() {
  stop();
  if (!ranges.empty()) read(&Impl::on_first_read);
}

// No calls, no timers; what is known stays.
void EtcdSource::Impl::stop() {
  watch_call.reset();
  read_call.reset();
  confirm_call.reset();
  probe_call.reset();
  for (Timers::TimerId* timer : {&calm_timer, &open_timer, &probe_timer, &reconcile_timer, &retry_timer}) {
    timers.cancel_timer(std::exchange(*timer, 0));
  }
  if (!at_one_revision) timers.cancel_timer(std::exchange(tell_timer, 0));  // the next read tells
  fragments.clear();
  fragment_bytes = 0;
  state.watching = false;
}

void EtcdSource::Impl::read(OnSnapshot then) {
  revision_at_read = keys.revision();
  read_call = call_etcd<pb::TxnResponse>(
      client, kTxnPath, read_of(ranges, ReadKind::kAll), patience(options.read_timeout_ns),
      [this, then](const Result<pb::TxnResponse>& response) {
        read_call.reset();
        if (!response && state.watching) {
          // The watch goes on; that it is dead is for the probe to notice.
          log_debug("configuration was not read again; it is tried later", {{"reason", response.error()}});
          schedule_reconcile();
          if (!at_one_revision) schedule_tell(backoff.next_ns());
        } else if (!response) {
          fail(response.error());
        } else {
          (this->*then)(snapshot_of(*response));
        }
      });
}

void EtcdSource::Impl::on_first_read(const Snapshot& snapshot) {
  take(snapshot);
  open_watch();
}

void EtcdSource::Impl::on_reconcile_read(const Snapshot& snapshot) {
  compacted = false;
  const bool back = went_back(snapshot);
  // Events of what came after this read have been seen already: it has nothing to say.
  const bool overtaken = !back && snapshot.revision < keys.revision();
  if (overtaken || (!back && !keys.differs(snapshot))) {
    if (!overtaken && snapshot.revision > told_revision && !changed) {
      told_revision = snapshot.revision;
      schedule_tell();
    }
    schedule_reconcile();
    return;
  }
  if (!back) {
    ++state.missed;
    log_info("configuration read again: the watch had not told a change", {{"revision", snapshot.revision}});
  }
  take(snapshot);
  open_watch();
}

// What events could not tell for certain.
void EtcdSource::Impl::on_whole_read(const Snapshot& snapshot) {
  const bool back = went_back(snapshot);
  // Events of what came after this read have been taken, and do not come again: another look will find them.
  const bool overtaken = !back && snapshot.revision < keys.revision();
  take(snapshot);
  timers.cancel_timer(std::exchange(tell_timer, 0));
  if (overtaken) {
    at_one_revision = false;
    schedule_tell();
  }
  if (back) open_watch();
  schedule_reconcile();
  tell();
}

bool EtcdSource::Impl::went_back(const Snapshot& snapshot) const {
  return told && (snapshot.revision < revision_at_read || snapshot.cluster_id != keys.cluster_id());
}

void EtcdSource::Impl::take(const Snapshot& snapshot) {
  const bool back = went_back(snapshot);
  if (back) {
    ++state.restores;
    log_warning("etcd was restored to an older state, or is another cluster; everything is read again",
                {{"revision", snapshot.revision},
                 {"before", keys.revision()},
                 {"cluster", fmt::format("{:x}", snapshot.cluster_id)},
                 {"cluster_before", fmt::format("{:x}", keys.cluster_id())}});
    told_revision = 0;
  }
  changed |= back || !told || keys.differs(snapshot);
  keys.take(snapshot);
  at_one_revision = true;
  if (changed || lost) schedule_tell();
}

// --- Watching.

void EtcdSource::Impl::open_watch() {
  watch_call.reset();
  fragments.clear();
  fragment_bytes = 0;
  created = 0;
  endpoint = client.endpoint();
  revision_at_watch = keys.revision();
  std::vector<std::string> requests;
  for (const KeyRange& range : ranges) {
    pb::WatchRequest request;
    pb::WatchCreateRequest& create = *request.mutable_create_request();
    create.set_key(range.key);
    create.set_range_end(range.end);
    create.set_start_revision(revision_at_watch + 1);
    create.set_fragment(true);
    requests.push_back(request.SerializeAsString());
  }
  timers.cancel_timer(open_timer);
  open_timer = timers.call_after(patience(options.open_timeout_ns), [this] {
    open_timer = 0;
    const Error reason(Code::kUnavailable, "etcd has not confirmed the watch in time");
    if (client.endpoints() > 1) {
      client.give_up(reason);  // which ends the watch
    } else {
      fail(reason);
    }
  });
  watch_call = client.stream(
      kWatchPath, std::move(requests), [this](std::string_view message) { on_watch_message(message); },
      [this](const Error& reason) { fail(reason); });
}

void EtcdSource::Impl::on_watch_message(std::string_view bytes) {
  auto response = parse_message<pb::WatchResponse>(bytes);
  if (!response) {
    fail(response.error());
    return;
  }
  if (response->header().cluster_id() != keys.cluster_id()) {
    fail(Error(Code::kUnavailable, "the watch is answered by another cluster"));
  } else if (response->canceled()) {
    on_watch_cancelled(*response);
  } else if (response->created()) {
    on_created(*response);
  } else {
    on_events(*response);
  }
}

void EtcdSource::Impl::on_watch_cancelled(const pb::WatchResponse& response) {
  // Without a revision in its header: nothing but the reason may be taken from it.
  if (response.created()) {
    client.forget_token();
    fail(Error(Code::kPermissionDenied, "etcd refused the watch: " + response.cancel_reason()));
    return;
  }
  if (response.compact_revision() == 0) {
    fail(Error(Code::kUnavailable, "etcd cancelled the watch: " + response.cancel_reason()));
    return;
  }
  ++state.compactions;
  log_info("etcd has compacted what the watch wanted; the keys are read again",
           {{"wanted", keys.revision() + 1}, {"compacted", response.compact_revision()}});
  if (std::exchange(compacted, true)) {
    fail(Error(Code::kUnavailable, "etcd compacts faster than it can be watched"));
  } else {
    begin();
  }
}

void EtcdSource::Impl::on_created(const pb::WatchResponse& response) {
  // Not with keys.revision(): an event of another watch of this stream may overtake this answer, whose revision is as
  // of when etcd took the request.
  if (response.header().revision() < revision_at_watch) {
    const Error reason(Code::kUnavailable, fmt::format("etcd is at revision {}, behind {}, up to which it was read",
                                                       response.header().revision(), revision_at_watch));
    client.give_up(reason);  // this member is behind: another
    return;
  }
  if (++created == ranges.size()) established();
}

void EtcdSource::Impl::established() {
  timers.cancel_timer(std::exchange(open_timer, 0));
  established_ns = timers.clock().mono_ns();
  if (!state.watching) {
    ++state.established;
    log_info("configuration watch established",
             {{"endpoint", endpoint}, {"revision", keys.revision()}, {"keys", ranges.size()}});
  }
  state.watching = true;
  // Not at once: what comes and goes again is no recovery.
  if (!compacted && calm_timer == 0 && backoff.attempts() > 0) {
    calm_timer = timers.call_after(options.calm_ns, [this] {
      calm_timer = 0;
      backoff.reset();
    });
  }
  schedule_probe();
  schedule_reconcile();
}

void EtcdSource::Impl::on_events(pb::WatchResponse& response) {
  auto found = fragments.find(response.watch_id());
  if (response.fragment() || found != fragments.end()) {
    fragment_bytes += response.ByteSizeLong();
    if (fragment_bytes > kMaxFragmentBytes) {
      fail(Error(Code::kResourceExhausted, "the watch's fragments have no end"));
      return;
    }
    pb::WatchResponse& whole = fragments[response.watch_id()];
    whole.mutable_events()->MergeFrom(response.events());
    if (response.fragment()) return;
    response.mutable_events()->Swap(whole.mutable_events());
    fragments.erase(response.watch_id());
    if (fragments.empty()) fragment_bytes = 0;
  }
  for (const pb::Event& event : response.events()) on_event(event);
}

void EtcdSource::Impl::on_event(const pb::Event& event) {
  if (!what.contains(event.kv().key())) return;
  if (!keys.apply(event)) {
    ++state.duplicates;
    return;
  }
  compacted = false;
  changed = true;
  if (may_lag()) at_one_revision = false;
  schedule_tell();
}

// --- Doubting.

void EtcdSource::Impl::schedule_probe() {
  timers.cancel_timer(probe_timer);
  probe_timer = timers.call_at(client.last_heard_ns() + options.probe_after_ns, [this] {
    probe_timer = 0;
    if (timers.clock().mono_ns() - client.last_heard_ns() < options.probe_after_ns) {
      schedule_probe();
    } else {
      probe();
    }
  });
}

// The answer of this member alone will do, if it has a leader. When it does not come, the client gives the connection
// up, and with it the watch.
void EtcdSource::Impl::probe() {
  pb::RangeRequest request;
  request.set_key(ranges.front().key);
  request.set_serializable(true);
  request.set_count_only(true);
  probe_call = call_etcd<pb::RangeResponse>(client, kRangePath, request, patience(options.probe_timeout_ns),
                                            [this](const Result<pb::RangeResponse>&) {
                                              probe_call.reset();
                                              schedule_probe();
                                            });
}

void EtcdSource::Impl::schedule_reconcile() {
  timers.cancel_timer(reconcile_timer);
  const int64_t span = options.reconcile_max_ns - options.reconcile_min_ns;
  const int64_t wait = options.reconcile_min_ns + static_cast<int64_t>(random.below(static_cast<uint64_t>(span) + 1));
  reconcile_timer = timers.call_after(wait, [this] {
    reconcile_timer = 0;
    read(&Impl::on_reconcile_read);
  });
}

// --- Telling.

void EtcdSource::Impl::fail(const Error& reason) {
  const bool was_watching = state.watching;
  stop();
  lost = true;
  if (was_watching) ++state.lost;
  const int64_t wait = backoff.next_ns();
  log_warning(was_watching ? "configuration watch lost" : "configuration cannot be read from etcd",
              {{"endpoint", was_watching ? endpoint : client.endpoint()},
               {"reason", reason},
               {"wait_ms", wait / kNanosPerMilli}});
  retry_timer = timers.call_after(wait, [this] {
    retry_timer = 0;
    begin();
  });
  listener->on_source_lost(reason);
}

// Later, so that a burst is told as one.
void EtcdSource::Impl::schedule_tell(int64_t after_ns) {
  if (tell_timer != 0) return;
  tell_timer = timers.call_after(after_ns, [this] {
    tell_timer = 0;
    if (at_one_revision) {
      tell();
    } else if (confirm_call == nullptr) {
      confirm();
    }
  });
}

// Each key's events come in order, but at first one key's may lag behind another's: etcd catches up with a watch that
// began a little late apart from the others. So what events made of the keys may never have been; the member that tells
// them is asked for the revisions of all keys at once.
bool EtcdSource::Impl::may_lag() const {
  return !state.watching || timers.clock().mono_ns() - established_ns < options.in_step_after_ns;
}

void EtcdSource::Impl::confirm() {
  confirm_call = call_etcd<pb::TxnResponse>(
      client, kTxnPath, read_of(ranges, ReadKind::kVersions), patience(options.read_timeout_ns),
      [this](const Result<pb::TxnResponse>& response) {
        confirm_call.reset();
        if (response) {
          on_confirmed(snapshot_of(*response));
        } else {
          log_debug("a change was not confirmed; it is tried again", {{"reason", response.error()}});
          schedule_tell(backoff.next_ns());
        }
      });
}

void EtcdSource::Impl::on_confirmed(const Snapshot& snapshot) {
  if (calm_timer == 0) backoff.reset();
  if (at_one_revision) return;  // a read came before
  const bool behind = snapshot.cluster_id != keys.cluster_id() || snapshot.revision < keys.revision();
  if (behind || keys.differs(snapshot)) {
    read(&Impl::on_whole_read);
    return;
  }
  at_one_revision = changed = true;
  tell();
}

void EtcdSource::Impl::tell() {
  if (std::exchange(changed, false)) told_revision = keys.revision();
  told = true;
  lost = false;
  listener->on_keys({told_revision, keys.entries()});
}

// --- The public face.

EtcdSource::EtcdSource(Timers& timers, Random& random, EtcdClient& client, EtcdSourceOptions options)
    : impl_(std::make_unique<Impl>(timers, random, client, options)) {}

EtcdSource::~EtcdSource() { impl_->timers.cancel_timer(impl_->tell_timer); }

void EtcdSource::watch(const WatchSet& what, ConfigListener& listener) {
  assert(what.keys.size() + what.prefixes.size() <= kMaxKeys);
  impl_->timers.cancel_timer(std::exchange(impl_->tell_timer, 0));
  impl_->what = valid_part(what);
  impl_->ranges = ranges_of(impl_->what);
  impl_->listener = &listener;
  impl_->keys.forget();
  impl_->at_one_revision = true;
  impl_->told = false;
  impl_->begin();
}

void EtcdSource::rescan() {
  if (impl_->listener == nullptr) return;
  if (impl_->state.watching) {
    impl_->read(&Impl::on_reconcile_read);
  } else if (impl_->retry_timer != 0) {
    impl_->begin();
  }
}

const EtcdSource::State& EtcdSource::state() const { return impl_->state; }

}  // namespace monitor::config
