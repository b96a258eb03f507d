#include "bin/agent_config.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor {

namespace {

// As long as an agent that starts waits for etcd, before it goes to work on what it has.
constexpr int64_t kStartGrace = 2 * kNanosPerSecond;
constexpr int64_t kRevokeWithin = kNanosPerSecond;

}  // namespace

AgentConfig::AgentConfig(EventLoop& loop, AgentConfigOptions options, config::Applier& applier)
    : loop_(loop), options_(std::move(options)), applier_(applier), since_ns_(loop.clock().wall_ns()) {}

Result<std::unique_ptr<AgentConfig>> AgentConfig::make(EventLoop& loop, Disk& disk, AgentConfigOptions options,
                                                       config::Applier& applier) {
  std::unique_ptr<AgentConfig> made(new AgentConfig(loop, std::move(options), applier));
  if (!made->options_.etcd) {
    made->files_ = std::make_unique<config::FileSource>(loop, disk, made->options_.files);
    return made;
  }
  auto connection = connect_etcd(loop, made->options_.etcd_flags);
  if (!connection) return connection.error();
  made->etcd_ = std::move(*connection);
  EtcdConnection& etcd = *made->etcd_;
  made->etcd_source_ = std::make_unique<config::EtcdSource>(loop, etcd.random, *etcd.client);
  if (!made->options_.status) return made;
  config::PresenceOptions presence;
  presence.key = config::status_key(made->options_.agent_id);
  made->presence_ = std::make_unique<config::Presence>(loop, etcd.random, *etcd.client, presence);
  return made;
}

config::ConfigSource& AgentConfig::source() {
  if (files_ != nullptr) return *files_;
  return *etcd_source_;
}

void AgentConfig::start(config::ConfigEngine& engine) {
  engine.start();
  if (files_ != nullptr) return;
  loop_.call_after(kStartGrace, [this, &engine] {
    if (!engine.running()) {
      engine.start_without_source(
          Error(Code::kUnavailable, "etcd at " + etcd_->client->endpoint() + " does not answer; trying on"));
    }
  });
}

void AgentConfig::rescan() {
  if (files_ != nullptr) files_->rescan();
  if (etcd_source_ != nullptr) etcd_source_->rescan();
}

void AgentConfig::stop(std::function<void()> done) {
  auto once = std::make_shared<std::function<void()>>(std::move(done));
  const auto finish = [once] {
    if (const auto callback = std::exchange(*once, nullptr)) callback();
  };
  if (presence_ == nullptr) {
    loop_.post(finish);
    return;
  }
  loop_.call_after(kRevokeWithin, finish);
  presence_->stop(finish);
}

std::optional<config::Problem> AgentConfig::apply(const config::Settings& settings, int64_t revision) {
  auto problem = applier_.apply(settings, revision);
  if (!problem && presence_ != nullptr) {
    presence_->set(fmt::format(R"({{"version":{},"host":{},"since":"{}","applied":{}}})", json_quote(options_.version),
                               json_quote(options_.host), format_rfc3339(since_ns_, 3), revision));
  }
  return problem;
}

}  // namespace monitor
