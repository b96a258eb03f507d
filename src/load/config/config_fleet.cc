#include "load/config/config_fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "base/log.h"
#include "config/engine.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/etcd_status_publisher.h"
#include "config/etcd/etcd_store.h"
#include "config/reporter.h"

namespace monitor::load {

namespace {

constexpr int64_t kLookEvery = 20 * kNanosPerMilli;
constexpr int64_t kBeginEvery = 10 * kNanosPerMilli;
constexpr std::string_view kRoundLabel = "round";

}  // namespace

class ConfigFleet::Agent final : public config::Applier {
 public:
  Agent(ConfigFleet& fleet, const std::string& id, std::unique_ptr<config::EtcdConnector> connector)
      : fleet_(fleet),
        client_(fleet.loop_, std::move(connector), fleet.options_.credentials),
        source_(fleet.loop_, fleet.random_, client_),
        engine_(fleet.loop_, {id, groups_of(fleet.options_)}, source_, fleet.plugins_, *this, nullptr),
        publisher_(fleet.loop_, fleet.random_, client_, id),
        reporter_(fleet.loop_, {"load", id}, publisher_,
                  [this](config::AgentStatus& status, auto&) { config::take_state(status, engine_.state()); }) {
    engine_.set_on_change([this] { reporter_.changed(); });
    engine_.start();
  }

  std::optional<config::Problem> apply(const config::Settings& settings, int64_t /*revision*/) override {
    fleet_.on_applied(settings, round_);
    return std::nullopt;
  }

  bool watching() const { return source_.state().watching; }
  // True if everything that it has to report is in etcd.
  bool has_reported() const { return publisher_.status().present; }
  uint64_t puts() const { return publisher_.status().puts; }
  bool counted = false;  // counted as done in the current phase

 private:
  static std::vector<std::string> groups_of(const ConfigFleetOptions& options) {
    return options.group.empty() ? std::vector<std::string>() : std::vector<std::string>{options.group};
  }

  ConfigFleet& fleet_;
  size_t round_ = 0;  // the round whose change was applied last
  config::EtcdClient client_;
  config::EtcdSource source_;
  config::ConfigEngine engine_;
  config::EtcdStatusPublisher publisher_;
  config::Reporter reporter_;
};

ConfigFleet::ConfigFleet(EventLoop& loop, Random& random, Disk& disk, const config::PluginCatalog& plugins,
                         ConfigFleetOptions options)
    : loop_(loop), random_(random), disk_(disk), plugins_(plugins), options_(std::move(options)), resolver_(loop) {}

ConfigFleet::~ConfigFleet() {
  loop_.cancel_timer(look_timer_);
  loop_.cancel_timer(begin_timer_);
}

Status ConfigFleet::start(std::function<void()> done) {
  done_ = std::move(done);
  auto connector = config::make_etcd_connector(loop_, resolver_, random_, options_.etcd);
  if (!connector) return connector.error();
  author_ = std::make_unique<config::EtcdClient>(loop_, std::move(*connector), options_.credentials);
  phase_since_ns_ = loop_.clock().mono_ns();
  begin_agents();
  look();
  return {};
}

void ConfigFleet::stop() {
  if (phase_ != Phase::kDone) finish(phase_ == Phase::kStaying ? "" : "stopped before its end");
}

// Starts as many agents as are due by now.
void ConfigFleet::begin_agents() {
  const int64_t since = loop_.clock().mono_ns() - phase_since_ns_;
  const double share = options_.ramp_ns == 0 ? 1.0 : static_cast<double>(since) / static_cast<double>(options_.ramp_ns);
  const auto due = std::min(options_.agents, static_cast<size_t>(share * static_cast<double>(options_.agents)));
  while (agents_.size() < due) {
    auto connector = config::make_etcd_connector(loop_, resolver_, random_, options_.etcd);
    if (!connector) {
      finish(connector.error().message());
      return;
    }
    agents_.push_back(std::make_unique<Agent>(*this, fmt::format("{}-{}", options_.prefix, agents_.size() + 1),
                                              std::move(*connector)));
  }
  if (agents_.size() < options_.agents) begin_timer_ = loop_.call_after(kBeginEvery, [this] { begin_agents(); });
}

size_t ConfigFleet::watching() const {
  return static_cast<size_t>(
      std::count_if(agents_.begin(), agents_.end(), [](const auto& a) { return a->watching(); }));
}

void ConfigFleet::look() {
  look_timer_ = 0;
  if (phase_ == Phase::kDone || phase_ == Phase::kStaying) return;
  if (phase_ == Phase::kReturning) look_for_return();
  if (reached()) {
    next();
  } else if (loop_.clock().mono_ns() - phase_since_ns_ > options_.limit_ns + options_.ramp_ns) {
    finish(fmt::format("{} of {} watched, but not all managed to {} within {} s", watching(),
                       counted(options_.agents, "agent"),
                       phase_ == Phase::kConnecting  ? "do so"
                       : phase_ == Phase::kApplying  ? "apply the change"
                       : phase_ == Phase::kReporting ? "report it in their status"
                                                     : "disconnect and return",
                       options_.limit_ns / kNanosPerSecond));
  }
  if (phase_ != Phase::kDone) look_timer_ = loop_.call_after(kLookEvery, [this] { look(); });
}

// True if the current phase is complete.
bool ConfigFleet::reached() {
  switch (phase_) {
    case Phase::kConnecting:
      return agents_.size() == options_.agents && watching() == agents_.size() &&
             std::all_of(agents_.begin(), agents_.end(), [](const auto& a) { return a->has_reported(); });
    case Phase::kApplying:
      return result_.rounds.back().applied == agents_.size();
    case Phase::kReporting:
      return std::all_of(agents_.begin(), agents_.end(), [](const auto& a) { return a->has_reported(); });
    case Phase::kGoing:
      return watching() == 0;
    case Phase::kReturning:
      return result_.back.returned == agents_.size();
    case Phase::kStaying:
    case Phase::kDone:
      break;
  }
  return false;
}

void ConfigFleet::next() {
  const int64_t now = loop_.clock().mono_ns();
  switch (phase_) {
    case Phase::kConnecting:
      result_.connected_ns = now - phase_since_ns_;
      log_info("all agents watch", {{"agents", agents_.size()}, {"seconds", result_.connected_ns / kNanosPerSecond}});
      break;
    case Phase::kApplying:
      phase_ = Phase::kReporting;
      return;
    case Phase::kReporting:
      result_.rounds.back().all_ns = now - round_since_ns_;
      break;
    case Phase::kGoing:
      phase_ = Phase::kReturning;
      phase_since_ns_ = now;
      log_info("all agents have lost etcd", {});
      return;
    case Phase::kReturning:
    case Phase::kStaying:
    case Phase::kDone:
      finish("");
      return;
  }
  phase_since_ns_ = now;
  if (result_.rounds.size() < options_.rounds) {
    begin_round();
  } else if (options_.restart) {
    phase_ = Phase::kGoing;
    log_info("waiting for etcd to stop and to return", {});
  } else if (options_.stay) {
    phase_ = Phase::kStaying;
    log_info("all agents stay until this program is stopped", {});
  } else {
    finish("");
  }
}

void ConfigFleet::begin_round() {
  phase_ = Phase::kApplying;
  result_.rounds.emplace_back();
  round_since_ns_ = loop_.clock().mono_ns();
  const std::string document = fmt::format(R"({{"labels":{{"{}":"{}"}}}})", kRoundLabel, result_.rounds.size());
  put_ = config::put_once(*author_, config::defaults_key(), document, options_.limit_ns, [this](const Status& done) {
    if (!done) finish("the change cannot be written: " + done.error().message());
  });
}

// The same change is applied again when a read advances the revision; only the first time counts.
void ConfigFleet::on_applied(const config::Settings& settings, size_t& round) {
  if (phase_ != Phase::kApplying || round == result_.rounds.size()) return;
  const std::string wanted = std::to_string(result_.rounds.size());
  const bool news = std::any_of(settings.labels.begin(), settings.labels.end(), [&](const auto& label) {
    return label.first == kRoundLabel && label.second == wanted;
  });
  if (!news) return;
  round = result_.rounds.size();
  ++result_.rounds.back().applied;
  result_.rounds.back().delays.add(loop_.clock().mono_ns() - round_since_ns_);
}

void ConfigFleet::look_for_return() {
  const int64_t now = loop_.clock().mono_ns();
  ConfigReturn& back = result_.back;
  for (const auto& agent : agents_) {
    if (agent->counted || !agent->watching()) continue;
    agent->counted = true;
    if (back.returned++ == 0) return_since_ns_ = now;
    back.delays.add(now - return_since_ns_);
    const auto second = static_cast<size_t>((now - return_since_ns_) / kNanosPerSecond);
    if (back.by_second.size() <= second) back.by_second.resize(second + 1);
    ++back.by_second[second];
  }
}

void ConfigFleet::finish(std::string failure) {
  phase_ = Phase::kDone;
  loop_.cancel_timer(std::exchange(begin_timer_, 0));
  result_.failure = std::move(failure);
  for (const auto& agent : agents_) result_.status_puts += agent->puts();
  loop_.post(done_);
}

}  // namespace monitor::load
