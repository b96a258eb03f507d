#include "bin/analysis/silence_sharing.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "bin/common/cli.h"
#include "config/etcd/etcd_source.h"
#include "config/keys.h"

namespace monitor {

namespace {

constexpr std::chrono::seconds kLook{1};   // between looks at the file
constexpr std::chrono::seconds kPause{5};  // after a failure

}  // namespace

Result<std::unique_ptr<SilenceSharing>> SilenceSharing::open(const EtcdFlags& etcd, std::string alerts_path,
                                                             EventLoop& loop, const Clock& clock,
                                                             SilenceExchange::Open store) {
  std::unique_ptr<SilenceSharing> sharing(new SilenceSharing(std::move(alerts_path), clock, std::move(store)));
  auto connected = connect_etcd(loop, etcd);
  if (!connected) return connected.error();
  sharing->etcd_ = std::move(*connected);
  sharing->source_ = std::make_unique<config::EtcdSource>(loop, sharing->etcd_->random, *sharing->etcd_->client);
  return sharing;
}

SilenceSharing::~SilenceSharing() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SilenceSharing::start() {
  source_->watch({.keys = {}, .prefixes = {std::string(config::kSilencesRoot)}}, *this);
  thread_ = std::thread([this] { run(); });
}

void SilenceSharing::on_keys(const config::KeySet& keys) {
  Documents documents;
  for (const auto& [key, entry] : keys.entries) {
    // A document with a fault is refused like one that cannot be decoded.
    documents.emplace(config::name_of_key(key), entry.fault ? std::string() : entry.value);
  }
  {
    const std::lock_guard lock(mutex_);
    documents_ = std::move(documents);
  }
  changed_.notify_all();
}

// Silences that are set meanwhile are shared when etcd is back.
void SilenceSharing::on_source_lost(const Error& /*reason*/) {}

void SilenceSharing::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::optional<Documents> documents = std::exchange(documents_, std::nullopt);
    lock.unlock();
    const Status done = turn(documents);
    note(done);
    lock.lock();
    if (!done) {
      changed_.wait_for(lock, kPause, [this] { return stopping_; });
    } else {
      changed_.wait_for(lock, kLook, [this] { return stopping_ || documents_; });
    }
  }
}

Status SilenceSharing::turn(const std::optional<Documents>& documents) {
  if (documents) taken_ = *documents;
  if (!alerts_) {
    auto opened = notify::AlertStore::open(alerts_path_, notify::AlertStore::Open::kCreate, clock_);
    if (!opened) return opened.error();
    alerts_ = std::move(*opened);
  }
  const bool first = !exchange_;
  if (first && !documents && taken_.empty()) return {};  // etcd has not answered yet
  if (first) exchange_ = std::make_unique<SilenceExchange>(*alerts_, open_store_, host_name(), clock_);
  if (first || documents || fails_) {
    if (Status taken = exchange_->take(taken_); !taken) return taken;
  }
  if (Status offered = exchange_->offer(); !offered) return offered;
  return prune();
}

// An instance that never notifies has nobody else who does this, and a file holds a limited number of silences.
Status SilenceSharing::prune() {
  constexpr int64_t kEveryNs = 3600 * kNanosPerSecond;
  constexpr int64_t kKeepMs = int64_t{30} * 24 * 3'600'000;
  const int64_t mono_ns = clock_.mono_ns();
  if (pruned_ns_ != 0 && mono_ns - pruned_ns_ < kEveryNs) return {};
  pruned_ns_ = mono_ns;
  return alerts_->prune(clock_.wall_ns() / kNanosPerMilli - kKeepMs);
}

void SilenceSharing::note(const Status& status) {
  if (status) {
    if (std::exchange(fails_, false)) log_info("silences are shared with other instances again");
  } else if (!std::exchange(fails_, true)) {
    log_error("silences cannot be shared with other instances; trying again", {{"reason", status.error()}});
  }
}

}  // namespace monitor
