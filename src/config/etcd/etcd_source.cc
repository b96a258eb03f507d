#include "config/etcd/etcd_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/etcd/key_cache.h"
#include "config/etcd/messages.h"
#include "config/etcd/watch_stream.h"

namespace monitor::config {

namespace {

constexpr size_t kMaxKeys = 100;  // etcd allows 128 operations a transaction

}  // namespace

struct EtcdSource::Impl final : WatchListener {
  Impl(Timers& t, Random& r, EtcdClient& c, const EtcdSourceOptions& given)
      : timers(t),
        random(r),
        client(c),
        options(given),
        backoff(r, given.backoff_base_ns, given.backoff_cap_ns),
        stream(t, c, keys, *this) {}
  ~Impl() override { stop(); }

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

  void open_watch() { stream.open(ranges, patience(options.open_timeout_ns)); }
  void on_watch_established() override;
  void on_watch_event(const pb::Event& event) override;
  void on_watch_compacted(int64_t revision) override;
  void on_watch_failed(const Error& reason) override { fail(reason); }

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
  std::vector<KeyRange> ranges;  // the keys of `what` as etcd ranges
  ConfigListener* listener = nullptr;
  State state;

  KeyCache keys;
  bool at_one_revision = true;   // `keys` is a consistent snapshot; false: events came since, and some may be missing
  int64_t revision_at_read = 0;  // of `keys`, when the pending read was sent

  // What the listener was notified of.
  bool reported = false;
  bool lost = false;
  int64_t reported_revision = 0;
  bool changed = false;  // since the last notification

  WatchStream stream;
  int64_t established_ns = 0;
  bool compacted = false;  // the last watch started in a compacted history, and nothing has succeeded since
  std::unique_ptr<EtcdCall> read_call;
  std::unique_ptr<EtcdCall> confirm_call;
  std::unique_ptr<EtcdCall> probe_call;
  Timers::TimerId calm_timer = 0;
  Timers::TimerId probe_timer = 0;
  Timers::TimerId reconcile_timer = 0;
  Timers::TimerId retry_timer = 0;
  Timers::TimerId report_timer = 0;
};

// --- Reading.

void EtcdSource::Impl::begin() {
  stop();
  if (!ranges.empty()) read(&Impl::on_first_read);
}

// Ends all calls and timers, and keeps the cache.
void EtcdSource::Impl::stop() {
  stream.close();
  read_call.reset();
  confirm_call.reset();
  probe_call.reset();
  for (Timers::TimerId* timer : {&calm_timer, &probe_timer, &reconcile_timer, &retry_timer}) {
    timers.cancel_timer(std::exchange(*timer, 0));
  }
  if (!at_one_revision) timers.cancel_timer(std::exchange(report_timer, 0));  // the next read notifies the listener
  state.watching = false;
}

void EtcdSource::Impl::read(OnSnapshot then) {
  revision_at_read = keys.revision();
  read_call = call_etcd<pb::TxnResponse>(
      client, kTxnPath, read_of(ranges, ReadKind::kAll), patience(options.read_timeout_ns),
      [this, then](const Result<pb::TxnResponse>& response) {
        read_call.reset();
        if (!response && state.watching) {
          // The watch continues. If it is dead, the probe will detect that.
          log_debug("periodic read of the configuration failed; retrying later", {{"reason", response.error()}});
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
  // The watch has already delivered events after this read, so it has no news.
  const bool overtaken = !back && snapshot.revision < keys.revision();
  if (overtaken || (!back && !keys.differs(snapshot))) {
    if (!overtaken && snapshot.revision > reported_revision && !changed) {
      reported_revision = snapshot.revision;
      schedule_tell();
    }
    schedule_reconcile();
    return;
  }
  if (!back) {
    ++state.missed;
    log_info("periodic read of the configuration found a change that the watch had missed",
             {{"revision", snapshot.revision}});
  }
  take(snapshot);
  open_watch();
}

// Handles a read that followed when a confirmation found other revisions than the events had reported.
void EtcdSource::Impl::on_whole_read(const Snapshot& snapshot) {
  const bool back = went_back(snapshot);
  // Events after this read were applied before it and will not come again; another confirmation will find them.
  const bool overtaken = !back && snapshot.revision < keys.revision();
  take(snapshot);
  timers.cancel_timer(std::exchange(report_timer, 0));
  if (overtaken) {
    at_one_revision = false;
    schedule_tell();
  }
  if (back) open_watch();
  schedule_reconcile();
  tell();
}

bool EtcdSource::Impl::went_back(const Snapshot& snapshot) const {
  return reported && (snapshot.revision < revision_at_read || snapshot.cluster_id != keys.cluster_id());
}

void EtcdSource::Impl::take(const Snapshot& snapshot) {
  const bool back = went_back(snapshot);
  if (back) {
    ++state.restores;
    log_warning("etcd was restored to an older state, or is another cluster; reading all keys",
                {{"revision", snapshot.revision},
                 {"before", keys.revision()},
                 {"cluster", fmt::format("{:x}", snapshot.cluster_id)},
                 {"cluster_before", fmt::format("{:x}", keys.cluster_id())}});
    reported_revision = 0;
  }
  changed |= back || !reported || keys.differs(snapshot);
  keys.take(snapshot);
  at_one_revision = true;
  if (changed || lost) schedule_tell();
}

// --- Watching.

void EtcdSource::Impl::on_watch_compacted(int64_t revision) {
  ++state.compactions;
  log_info("etcd has compacted the watch's start revision; reading all keys",
           {{"wanted", keys.revision() + 1}, {"compacted", revision}});
  if (std::exchange(compacted, true)) {
    fail(Error(Code::kUnavailable, "etcd compacts faster than it can be watched"));
  } else {
    begin();
  }
}

void EtcdSource::Impl::on_watch_established() {
  established_ns = timers.clock().mono_ns();
  if (!state.watching) {
    ++state.established;
    log_info("configuration watch established",
             {{"endpoint", stream.endpoint()}, {"revision", keys.revision()}, {"keys", ranges.size()}});
  }
  state.watching = true;
  // Delayed, because a watch that keeps failing has not recovered.
  if (!compacted && calm_timer == 0 && backoff.attempts() > 0) {
    calm_timer = timers.call_after(options.calm_ns, [this] {
      calm_timer = 0;
      backoff.reset();
    });
  }
  schedule_probe();
  schedule_reconcile();
}

void EtcdSource::Impl::on_watch_event(const pb::Event& event) {
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

// --- Probes and reconciliation.

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

// A serializable read, which the member answers by itself if it has a leader. If there is no answer, the client drops
// the connection, which ends the watch.
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

// --- Notifying the listener.

void EtcdSource::Impl::fail(const Error& reason) {
  const bool was_watching = state.watching;
  stop();
  lost = true;
  if (was_watching) ++state.lost;
  const int64_t wait = backoff.next_ns();
  log_warning(was_watching ? "configuration watch lost" : "configuration cannot be read from etcd",
              {{"endpoint", was_watching ? stream.endpoint() : client.endpoint()},
               {"reason", reason},
               {"wait_ms", wait / kNanosPerMilli}});
  retry_timer = timers.call_after(wait, [this] {
    retry_timer = 0;
    begin();
  });
  listener->on_source_lost(reason);
}

// Deferred, so that a burst of events becomes one notification.
void EtcdSource::Impl::schedule_tell(int64_t after_ns) {
  if (report_timer != 0) return;
  report_timer = timers.call_after(after_ns, [this] {
    report_timer = 0;
    if (at_one_revision) {
      tell();
    } else if (confirm_call == nullptr) {
      confirm();
    }
  });
}

// Each key's events arrive in order, but right after the start one watch may lag behind another: etcd catches up a
// watch that started late on its own. The cache may then hold a combination of keys that never existed. Before
// notifying the listener, the source reads the revisions of all keys at once from the member that sent the events.
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
          log_debug("a change could not be confirmed; retrying", {{"reason", response.error()}});
          schedule_tell(backoff.next_ns());
        }
      });
}

void EtcdSource::Impl::on_confirmed(const Snapshot& snapshot) {
  if (calm_timer == 0) backoff.reset();
  if (at_one_revision) return;  // a read has made the cache consistent in the meantime
  const bool behind = snapshot.cluster_id != keys.cluster_id() || snapshot.revision < keys.revision();
  if (behind || keys.differs(snapshot)) {
    read(&Impl::on_whole_read);
    return;
  }
  at_one_revision = changed = true;
  tell();
}

void EtcdSource::Impl::tell() {
  if (std::exchange(changed, false)) reported_revision = keys.revision();
  reported = true;
  lost = false;
  listener->on_keys({reported_revision, keys.entries()});
}

// --- Public interface.

EtcdSource::EtcdSource(Timers& timers, Random& random, EtcdClient& client, EtcdSourceOptions options)
    : impl_(std::make_unique<Impl>(timers, random, client, options)) {}

EtcdSource::~EtcdSource() { impl_->timers.cancel_timer(impl_->report_timer); }

void EtcdSource::watch(const WatchSet& what, ConfigListener& listener) {
  assert(what.keys.size() + what.prefixes.size() <= kMaxKeys);
  impl_->timers.cancel_timer(std::exchange(impl_->report_timer, 0));
  impl_->what = valid_part(what);
  impl_->ranges = ranges_of(impl_->what);
  impl_->listener = &listener;
  impl_->keys.forget();
  impl_->at_one_revision = true;
  impl_->reported = false;
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
