// SilenceSharing: shares the silences of `serve` with the other instances through etcd, on a thread of its own.
//
// start() and the destructor on the loop's thread. The loop and the clock must outlive it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/event_loop.h"
#include "bin/analysis/silence_exchange.h"
#include "bin/common/etcd_flags.h"
#include "config/source.h"

namespace monitor {

class SilenceSharing final : private config::ConfigListener {
 public:
  // Silences are in the file `alerts_path`, which is created if necessary. Errors: those of the options of etcd.
  static Result<std::unique_ptr<SilenceSharing>> open(const EtcdFlags& etcd, std::string alerts_path, EventLoop& loop,
                                                      const Clock& clock, SilenceExchange::Open store);
  ~SilenceSharing() override;
  SilenceSharing(const SilenceSharing&) = delete;
  SilenceSharing& operator=(const SilenceSharing&) = delete;

  void start();

 private:
  using Documents = std::map<std::string, std::string>;
  SilenceSharing(std::string alerts_path, const Clock& clock, SilenceExchange::Open store)
      : alerts_path_(std::move(alerts_path)), clock_(clock), open_store_(std::move(store)) {}
  void on_keys(const config::KeySet& keys) override;
  void on_source_lost(const Error& reason) override;
  void run();
  Status turn(const std::optional<Documents>& documents);
  Status prune();
  void note(const Status& status);

  const std::string alerts_path_;
  const Clock& clock_;
  const SilenceExchange::Open open_store_;
  std::unique_ptr<EtcdConnection> etcd_;
  std::unique_ptr<config::ConfigSource> source_;

  // Of the thread.
  std::unique_ptr<notify::AlertStore> alerts_;
  std::unique_ptr<SilenceExchange> exchange_;
  Documents taken_;
  int64_t pruned_ns_ = 0;  // monotonic
  bool fails_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::optional<Documents> documents_;  // that the thread has not taken yet
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace monitor
