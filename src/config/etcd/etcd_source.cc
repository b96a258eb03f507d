#include "config/etcd/etcd_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/document.h"
#include "config/etcd/messages.h"

namespace monitor::config {

namespace {

constexpr size_t kMaxKeys = 100;  // etcd's limit of a transaction is 128
constexpr size_t kMaxFragmentBytes = size_t{64} * 1024 * 1024;

Entry entry_of(const std::string& value) {
  if (value.size() <= kMaxDocumentBytes) return {value, std::nullopt, 0};
  return {"",
          Error(Code::kResourceExhausted,
                fmt::format("document: {} bytes, the limit is {}", value.size(), kMaxDocumentBytes)),
          0};
}

// A key, or all from `key` to before `end`.
struct Range {
  std::string key;
  std::string end;
};

std::vector<Range> ranges_of(const WatchSet& what) {
  std::vector<Range> ranges;
  ranges.reserve(what.keys.size() + what.prefixes.size());
  for (const std::string& key : what.keys) ranges.push_back({key, ""});
  for (const std::string& prefix : what.prefixes) {
    ranges.push_back({prefix, prefix});
    ++ranges.back().end.back();  // '/' is not the last of bytes
  }
  return ranges;
}

// What a read found.
struct Snapshot {
  struct Found {
    Entry entry;
    int64_t mod_revision = 0;
  };
  uint64_t cluster_id = 0;
  int64_t revision = 0;
  std::map<std::string, Found> found;
};

Snapshot snapshot_of(const pb::TxnResponse& response) {
  Snapshot snapshot;
  snapshot.cluster_id = response.header().cluster_id();
  snapshot.revision = response.header().revision();
  for (const pb::ResponseOp& op : response.responses()) {
    for (const pb::KeyValue& kv : op.response_range().kvs()) {
      snapshot.found[kv.key()] = {entry_of(kv.value()), kv.mod_revision()};
    }
  }
  return snapshot;
}

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
  bool went_back(const Snapshot& snapshot) const;
  bool differs(const Snapshot& snapshot) const;
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
  void schedule_tell();
  void tell();

  Timers& timers;
  Random& random;
  EtcdClient& client;
  EtcdSourceOptions options;
  Backoff backoff;
  WatchSet what;
  std::vector<Range> ranges;  // the same, as etcd is asked
  ConfigListener* listener = nullptr;
  State state;

  // What is known of the keys.
  uint64_t cluster_id = 0;
  int64_t revision = 0;          // up to which all keys are known
  int64_t revision_at_read = 0;  // when the read under way was sent
  std::map<std::string, Entry> entries;
  std::map<std::string, int64_t> modified;  // of what is in entries
  std::map<std::string, int64_t> seen;      // key -> revision up to which it is known; deletions too
  int64_t seen_all = 0;                     // up to which those are known that are not in `seen`

  // What the listener was told.
  bool told = false;
  bool lost = false;
  int64_t told_revision = 0;
  bool changed = false;  // since then

  std::string endpoint;
  bool compacted = false;  // and nothing good since
  size_t created = 0;
  std::map<int64_t, pb::WatchResponse> fragments;  // by watch
  size_t fragment_bytes = 0;
  std::unique_ptr<EtcdCall> watch_call;
  std::unique_ptr<EtcdCall> read_call;
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
  probe_call.reset();
  for (Timers::TimerId* timer : {&calm_timer, &open_timer, &probe_timer, &reconcile_timer, &retry_timer}) {
    timers.cancel_timer(std::exchange(*timer, 0));
  }
  fragments.clear();
  fragment_bytes = 0;
  state.watching = false;
}

void EtcdSource::Impl::read(OnSnapshot then) {
  pb::TxnRequest request;
  for (const Range& range : ranges) {
    pb::RangeRequest& one = *request.add_success()->mutable_request_range();
    one.set_key(range.key);
    one.set_range_end(range.end);
  }
  revision_at_read = revision;
  read_call = call_etcd<pb::TxnResponse>(client, kTxnPath, request, patience(options.read_timeout_ns),
                                         [this, then](const Result<pb::TxnResponse>& response) {
                                           read_call.reset();
                                           if (!response && state.watching) {
                                             // The watch goes on; that it is dead is for the probe to notice.
                                             log_debug("configuration was not read again; it is tried later",
                                                       {{"reason", response.error()}});
                                             schedule_reconcile();
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
  const bool overtaken = !back && snapshot.revision < revision;
  if (overtaken || (!back && !differs(snapshot))) {
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

bool EtcdSource::Impl::went_back(const Snapshot& snapshot) const {
  return told && (snapshot.revision < revision_at_read || snapshot.cluster_id != cluster_id);
}

bool EtcdSource::Impl::differs(const Snapshot& snapshot) const {
  // Any other revision, not just a higher one: a store that was restored may have been written to since.
  std::map<std::string, int64_t> found;
  for (const auto& [key, one] : snapshot.found) found[key] = one.mod_revision;
  return found != modified;
}

void EtcdSource::Impl::take(const Snapshot& snapshot) {
  const bool back = went_back(snapshot);
  if (back) {
    ++state.restores;
    log_warning("etcd was restored to an older state, or is another cluster; everything is read again",
                {{"revision", snapshot.revision},
                 {"before", revision},
                 {"cluster", fmt::format("{:x}", snapshot.cluster_id)},
                 {"cluster_before", fmt::format("{:x}", cluster_id)}});
    told_revision = 0;
  }
  const bool news = back || !told || differs(snapshot);
  cluster_id = snapshot.cluster_id;
  revision = snapshot.revision;
  entries.clear();
  modified.clear();
  seen.clear();
  seen_all = snapshot.revision;
  for (const auto& [key, one] : snapshot.found) {
    entries[key] = one.entry;
    entries[key].revision = modified[key] = one.mod_revision;
  }
  changed |= news;
  if (changed || lost) schedule_tell();
}

// --- Watching.

void EtcdSource::Impl::open_watch() {
  watch_call.reset();
  fragments.clear();
  fragment_bytes = 0;
  created = 0;
  endpoint = client.endpoint();
  std::vector<std::string> requests;
  for (const Range& range : ranges) {
    pb::WatchRequest request;
    pb::WatchCreateRequest& create = *request.mutable_create_request();
    create.set_key(range.key);
    create.set_range_end(range.end);
    create.set_start_revision(revision + 1);
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
  if (response->header().cluster_id() != cluster_id) {
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
           {{"wanted", revision + 1}, {"compacted", response.compact_revision()}});
  if (std::exchange(compacted, true)) {
    fail(Error(Code::kUnavailable, "etcd compacts faster than it can be watched"));
  } else {
    begin();
  }
}

void EtcdSource::Impl::on_created(const pb::WatchResponse& response) {
  if (response.header().revision() < revision) {
    const Error reason(Code::kUnavailable, fmt::format("etcd is at revision {}, behind {}, up to which it was read",
                                                       response.header().revision(), revision));
    client.give_up(reason);  // this member is behind: another
    return;
  }
  if (++created == ranges.size()) established();
}

void EtcdSource::Impl::established() {
  timers.cancel_timer(std::exchange(open_timer, 0));
  if (!state.watching) {
    ++state.established;
    log_info("configuration watch established",
             {{"endpoint", endpoint}, {"revision", revision}, {"keys", ranges.size()}});
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
  const pb::KeyValue& kv = event.kv();
  if (!what.contains(kv.key())) return;
  int64_t& last = seen.try_emplace(kv.key(), seen_all).first->second;
  if (kv.mod_revision() <= last) {
    ++state.duplicates;
    return;
  }
  last = kv.mod_revision();
  revision = std::max(revision, last);
  if (event.type() == pb::Event::DELETE) {
    entries.erase(kv.key());
    modified.erase(kv.key());
  } else {
    entries[kv.key()] = entry_of(kv.value());
    entries[kv.key()].revision = modified[kv.key()] = last;
  }
  compacted = false;
  changed = true;
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
void EtcdSource::Impl::schedule_tell() {
  if (tell_timer == 0) {
    tell_timer = timers.call_after(0, [this] {
      tell_timer = 0;
      tell();
    });
  }
}

void EtcdSource::Impl::tell() {
  if (std::exchange(changed, false)) told_revision = revision;
  told = true;
  lost = false;
  listener->on_keys({told_revision, entries});
}

// --- The public face.

EtcdSource::EtcdSource(Timers& timers, Random& random, EtcdClient& client, EtcdSourceOptions options)
    : impl_(std::make_unique<Impl>(timers, random, client, options)) {}

EtcdSource::~EtcdSource() { impl_->timers.cancel_timer(impl_->tell_timer); }

void EtcdSource::watch(const WatchSet& what, ConfigListener& listener) {
  assert(what.keys.size() + what.prefixes.size() <= kMaxKeys);
  impl_->timers.cancel_timer(std::exchange(impl_->tell_timer, 0));
  impl_->what = what;
  impl_->ranges = ranges_of(what);
  impl_->listener = &listener;
  impl_->entries.clear();
  impl_->modified.clear();
  impl_->seen.clear();
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
