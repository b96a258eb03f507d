// Prints the latency from an etcd put to its effect, in microseconds, one per line. The floor: the event at a bare
// watch. Ours: the settings have passed a real agent's source, engine, chain and scheduler, and are applied.
//
//   bench-config-applied floor|ours host=H port=N count=N every_us=N
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>

#include "agent/agent.h"
#include "base/disk.h"
#include "base/random.h"
#include "config/engine.h"
#include "config/etcd/connector.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/etcd_store.h"
#include "config/etcd/messages.h"
#include "floor/arguments.h"
#include "grpc/resolver.h"
#include "inputs/simulated/simulated.h"
#include "plugins/builtin/registry.h"
#include "spool/memory_spool.h"

namespace monitor::bench {
namespace {

const std::string kKey = "/monitor/config/bench";
constexpr int64_t kMicro = 1000;  // nanoseconds

// Puts values one after another. The next put begins when the previous value has arrived.
class Author {
 public:
  Author(EventLoop& loop, config::EtcdClient& client, const Arguments& arguments)
      : loop_(loop),
        client_(client),
        left_(arguments.number("count")),
        every_ns_(arguments.number("every_us") * kMicro) {}

  void put() {
    ++number_;
    value_ = R"({"interval": 1, "plugins": ["deduplication"], "labels": {"n": ")" + std::to_string(number_) + "\"}}";
    since_ns_ = loop_.clock().mono_ns();
    call_ = config::put_once(client_, kKey, value_, kNanosPerSecond, [](const Status&) {});
  }

  void came(const std::string& number) {
    if (number != std::to_string(number_)) return;
    std::printf("delay_us=%.1f\n", static_cast<double>(loop_.clock().mono_ns() - since_ns_) / kMicro);
    if (--left_ == 0) {
      loop_.stop();
      return;
    }
    loop_.call_after(every_ns_, [this] { put(); });
  }

 private:
  EventLoop& loop_;
  config::EtcdClient& client_;
  std::unique_ptr<config::EtcdCall> call_;
  std::string value_;
  int64_t number_ = 0;
  int64_t since_ns_ = 0;
  int64_t left_;
  int64_t every_ns_;
};

struct Etcd {
  Etcd(EventLoop& loop, const Arguments& arguments) : resolver(loop) {
    config::EtcdAddress address;
    address.endpoints = {{arguments.text("host"), static_cast<uint16_t>(arguments.number("port"))}};
    auto connector = config::make_etcd_connector(loop, resolver, random, std::move(address));
    client = std::make_unique<config::EtcdClient>(loop, std::move(*connector), config::EtcdCredentials{});
  }
  SystemRandom random;
  grpc::ThreadResolver resolver;
  std::unique_ptr<config::EtcdClient> client;
};

int floor_of(const Arguments& arguments) {
  const SystemClock clock;
  EventLoop loop(clock);
  Etcd writing(loop, arguments);
  Etcd watching(loop, arguments);
  Author author(loop, *writing.client, arguments);
  config::pb::WatchRequest request;
  request.mutable_create_request()->set_key(kKey);
  const auto call = watching.client->stream(
      config::kWatchPath, {request.SerializeAsString()},
      [&author](std::string_view bytes) {
        config::pb::WatchResponse response;
        if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
        if (response.created()) author.put();
        for (const auto& event : response.events()) {
          const std::string& text = event.kv().value();
          const size_t at = text.rfind(R"("n": ")") + 6;
          author.came(text.substr(at, text.rfind('"') - at));
        }
      },
      [&loop](const Error&) { loop.stop(); });
  loop.run();
  return 0;
}

class Ours final : public config::Applier {
 public:
  Ours(EventLoop& loop, Author& author)
      : author_(author),
        source_(loop.clock().mono_ns(), table_),
        agent_(loop, {"bench", "bench", std::string(metrics::kIncarnationBytes, 'i'), "0"}, table_, source_),
        spool_(agent_.reports(), loop.clock()) {
    agent_.attach(spool_, [this] {
      if (const auto batch = spool_.next()) spool_.acknowledged(batch->id);
    });
  }
  std::optional<config::Problem> apply(const config::Settings& settings, int64_t revision) override {
    auto problem = agent_.apply(settings, revision);
    for (const auto& [name, value] : settings.labels) {
      if (name == "n") author_.came(value);
    }
    return problem;
  }

 private:
  Author& author_;
  metrics::SeriesTable table_;
  agent::SimulatedSource source_;
  agent::Agent agent_;
  agent::MemorySpool spool_;
};

int ours(const Arguments& arguments) {
  const SystemClock clock;
  EventLoop loop(clock);
  Etcd writing(loop, arguments);
  Etcd watching(loop, arguments);
  Author author(loop, *writing.client, arguments);
  Ours agent(loop, author);
  const agent::BuiltinCatalog catalog;
  config::EtcdSource source(loop, watching.random, *watching.client);
  config::ConfigEngine engine(loop, {"bench"}, source, catalog, agent, nullptr);
  engine.start();
  const std::function<void()> when_watching = [&] {
    if (source.state().watching) {
      author.put();
    } else {
      loop.call_after(kNanosPerMilli, when_watching);
    }
  };
  when_watching();
  loop.run();
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) {
  const monitor::bench::Arguments arguments(argc, argv);
  monitor::log_set_level(monitor::LogLevel::kWarning);
  const auto rest = arguments.rest();
  return !rest.empty() && rest[0] == "floor" ? monitor::bench::floor_of(arguments) : monitor::bench::ours(arguments);
}
