#include "bin/agent_config.h"

#include <utility>

namespace monitor {

namespace {

// How long a starting agent waits for etcd before it starts with the configuration that it has.
constexpr int64_t kStartGrace = 2 * kNanosPerSecond;
constexpr int64_t kRevokeWithin = kNanosPerSecond;

}  // namespace

AgentConfig::AgentConfig(EventLoop& loop, AgentConfigOptions options) : loop_(loop), options_(std::move(options)) {}

Result<std::unique_ptr<AgentConfig>> AgentConfig::make(EventLoop& loop, Disk& disk, Worker& worker,
                                                       AgentConfigOptions options) {
  std::unique_ptr<AgentConfig> made(new AgentConfig(loop, std::move(options)));
  const AgentConfigOptions& given = made->options_;
  if (!given.etcd) {
    made->files_ = std::make_unique<config::FileSource>(loop, disk, worker, given.files);
    if (given.status)
      made->publisher_ = std::make_unique<config::FileStatusPublisher>(worker, given.files.folder, given.agent_id);
    return made;
  }
  auto connection = connect_etcd(loop, given.etcd_flags);
  if (!connection) return connection.error();
  made->etcd_ = std::move(*connection);
  EtcdConnection& etcd = *made->etcd_;
  made->etcd_source_ = std::make_unique<config::EtcdSource>(loop, etcd.random, *etcd.client);
  if (given.status) {
    made->publisher_ = std::make_unique<config::EtcdStatusPublisher>(given.calm == nullptr ? loop : *given.calm,
                                                                     etcd.random, *etcd.client, given.agent_id);
  }
  return made;
}

config::ConfigSource& AgentConfig::source() {
  if (files_ != nullptr) return *files_;
  return *etcd_source_;
}

void AgentConfig::start_reports(config::ConfigEngine& engine, config::Reporter::Fill plugins) {
  if (publisher_ == nullptr) return;
  Timers& timers = options_.calm == nullptr ? loop_ : *options_.calm;
  reporter_.emplace(timers, config::Reporter::Self{options_.version, options_.host}, *publisher_,
                    [&engine, plugins = std::move(plugins)](config::AgentStatus& status, auto& inventory) {
                      config::take_state(status, engine.state());
                      plugins(status, inventory);
                    });
  engine.set_on_change([this] { reporter_->changed(); });
}

void AgentConfig::start(config::ConfigEngine& engine, config::Reporter::Fill plugins) {
  start_reports(engine, std::move(plugins));
  engine.start();
  if (files_ != nullptr) {
    // The source has already waited for its files.
    if (!files_->answered())
      engine.start_without_source(Error(Code::kUnavailable, "its files do not answer; retrying"));
    return;
  }
  loop_.call_after(kStartGrace, [this, &engine] {
    if (!engine.running()) {
      engine.start_without_source(
          Error(Code::kUnavailable, "etcd at " + etcd_->client->endpoint() + " does not answer; retrying"));
    }
  });
}

void AgentConfig::rescan() {
  if (files_ != nullptr) files_->rescan();
  if (etcd_source_ != nullptr) etcd_source_->rescan();
}

void AgentConfig::changed() {
  if (reporter_) reporter_->changed();
}

void AgentConfig::stop(bool stopped, std::function<void()> done) {
  auto once = std::make_shared<std::function<void()>>(std::move(done));
  const auto finish = [once] {
    if (const auto callback = std::exchange(*once, nullptr)) callback();
  };
  if (!reporter_) {
    loop_.post(finish);
    return;
  }
  loop_.call_after(kRevokeWithin, finish);
  reporter_->stop(stopped, finish);
}

}  // namespace monitor
