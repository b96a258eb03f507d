#include "bin/analysis/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "base/disk.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "base/service_notifier.h"
#include "base/signals.h"
#include "base/size_format.h"
#include "base/text.h"
#include "base/trust.h"
#include "bin/analysis/alert_notifications.h"
#include "bin/analysis/alert_shared_log.h"
#include "bin/analysis/config_stores.h"
#include "bin/analysis/external_url.h"
#include "bin/analysis/observability_server.h"
#include "bin/analysis/serve_rules.h"
#include "bin/analysis/silence_sharing.h"
#include "plugins/builtin/registry.h"
#include "ui/web/api.h"
#include "ui/web/log_tailer.h"
#include "ui/web/restore_fleet.h"
#include "ui/web/server.h"
#include "views/history/store.h"
#include "views/unusual/tracking_thread.h"

namespace monitor {

namespace {

namespace history = analysis::history;
namespace web = analysis::web;

constexpr size_t kRingBytes = size_t{16} << 20;
// Beside the time of a query, for its request and its answer.
constexpr int64_t kReplyNs = 30 * kNanosPerSecond;

std::string random_hex(size_t bytes) {
  std::string raw(bytes, '\0');
  SystemRandom().fill(raw.data(), raw.size());
  return hex(raw);
}

class Page {
 public:
  Page(const Cli& cli, ServeFlags& flags, bool http_named)
      : cli_(cli), flags_(flags), http_named_(http_named), loop_(clock_), broadcaster_(random_hex(4), kRingBytes) {}

  int run(const telemetry::HttpOptions& http, const history::HistoryOptions& history_options) {
    auto store = history::HistoryStore::open(history_options, clock_, registry_);
    if (!store) return fail("the history cannot be opened", store.error());
    if (const auto known = (*store)->known_agents()) {
      web::restore_fleet(*known, history_options.path, clock_, state_.fleet);
    }
    const auto access = page_access(flags_.access, cli_.data_folder());
    if (!access) return fail("the token file cannot be used", access.error());
    if (const Status opened = open_log(); !opened) {
      report_log_failure("cannot read the metric log", flags_.log, opened.error());
      return exit_code_for_reading(flags_.log, opened.error());
    }
    const auto notifications = open_notifications();
    if (!notifications) return fail("nobody can be notified of alerts", notifications.error());
    scores_ = std::make_unique<analysis::unusual::TrackingThread>(history_options.path, clock_, registry_);
    auto rules = ServeRules::open(rules_options(history_options.path), loop_, clock_, disk_, registry_);
    if (!rules) return fail("the rules cannot be run", rules.error());
    rules_ = std::move(*rules);
    rules_->set_sink(notifications_.get());
    if (const Status shared = share_silences(); !shared) return fail("silences cannot be shared", shared.error());
    rules_->on_notifies([this](bool notifies) { notifications_->set_active(notifies); });
    web::Api api(loop_, api_options(*access, history_options.path), state_, broadcaster_, registry_, catalog_);
    if (const Status started = api.start(); !started) return fail("cannot serve the page", started.error());
    auto server = start(http, api);
    if (!server) return fail("cannot serve the page", server.error());
    const std::string url = flags_.external_url.empty()
                                ? default_external_url(!flags_.access.tls_cert.empty(), (*server)->port())
                                : flags_.external_url;
    rules_->set_external_url(url);
    notifications_->set_external_url(url);
    return follow(**store);
  }

 private:
  static int fail(const char* what, const Error& error) {
    log_error(what, {{"reason", error}});
    return exit_code_for(error);
  }

  ServeRulesOptions rules_options(const std::string& history_path) const {
    return {.paths = flags_.rules,
            .history_path = history_path,
            .data_folder = cli_.data_folder(),
            .etcd = flags_.dir.empty() ? &flags_.etcd : nullptr,
            .config_dir = flags_.dir,
            .alone_after_ns = flags_.notify_alone_after_ns,
            .scores = &scores_->board()};
  }

  // Alerts, their history and silences are kept also if nobody is notified.
  Status open_notifications() {
    notify::NotifierOptions options;
    if (!flags_.notify.empty()) {
      if (const auto config = notify::load_config(flags_.notify); !config) return config.error();
      options.config_path = std::filesystem::absolute(flags_.notify).string();  // commands read it, too
    }
    options.store_path = cli_.data_folder() + "/alerts.db";
    options.senders.clock = &clock_;
    if (flags_.log.log.empty()) {
      options.senders.brokers = flags_.log.kafka.brokers;
      options.senders.kafka_properties = flags_.log.kafka.properties;
    }
    AlertNotifications::Share share;
    if (shares()) {
      share = [this] { return std::make_shared<StoreSharedLog>([this] { return open_quick_store(); }); };
    }
    notifications_ = std::make_unique<AlertNotifications>(std::move(options), std::move(share), clock_, registry_);
    return {};
  }

  // Whether there may be other instances, which share etcd with this one. An etcd that no option names may not exist.
  bool shares() const { return flags_.dir.empty() && flags_.etcd.named(); }

  Result<std::unique_ptr<config::ConfigStore>> open_quick_store() const {
    // Notifications wait for an answer.
    const config::BlockingEtcdOptions quick{.call_timeout_ns = kNanosPerSecond,
                                            .total_timeout_ns = 2 * kNanosPerSecond};
    return open_config_store(flags_.etcd, "", disk_, quick);
  }

  Status share_silences() {
    if (!shares()) return {};
    auto opened = SilenceSharing::open(flags_.etcd, cli_.data_folder() + "/alerts.db", loop_, clock_,
                                       [this] { return open_quick_store(); });
    if (!opened) return opened.error();
    silences_ = std::move(*opened);
    return {};
  }

  // Only validates the options: the tailer opens a log of its own.
  Status open_log() const {
    const auto reader = open_log_reader(flags_.log, {});
    return reader ? Status() : reader.error();
  }

  web::ApiOptions api_options(const web::Access& access, const std::string& history_path) const {
    web::ApiOptions options;
    options.access = access;
    options.audit_log = flags_.access.audit_log;
    options.history_path = history_path;
    options.alerts_path = cli_.data_folder() + "/alerts.db";
    options.log = flags_.log.address();
    options.version = version();
    options.open_browser = [this] { return open_log_browser(flags_.log); };
    options.prometheus.timeout_ns = flags_.query_timeout_ns;
    options.prometheus.at_once = flags_.query_threads;
    options.prometheus.max_samples = flags_.query_samples;
    options.prometheus.max_bytes = parse_size(flags_.query_memory).value();
    options.prometheus.rules = &rules_->reporter();
    options.prometheus.scores = &scores_->board();
    options.scores = &scores_->board();
    options.config.files = !flags_.dir.empty();
    options.config.describe = options.config.files ? flags_.dir : "etcd";
    options.config.open = [this] { return open_config_store(flags_.etcd, flags_.dir, disk_); };
    return options;
  }

  Result<std::unique_ptr<web::WebServer>> start(const telemetry::HttpOptions& http, web::Api& api) {
    const auto handler = [&api](const web::Request& request, const web::WebServer::Responder& responder) {
      api.handle(request, responder);
    };
    web::ServerOptions options{.address = http.address,
                               .port = http.port,
                               .request_ns = std::max(60 * kNanosPerSecond, flags_.query_timeout_ns + kReplyNs),
                               .tls_cert = flags_.access.tls_cert,
                               .tls_key = flags_.access.tls_key};
    auto server = web::WebServer::start(loop_, options, broadcaster_, registry_, handler);
    if (!server && server.error().code() == Code::kUnavailable && !http_named_) {
      log_warning("the default port is taken; using another one", {{"port", int64_t{http.port}}});
      options.port = 0;
      server = web::WebServer::start(loop_, options, broadcaster_, registry_, handler);
    }
    if (!server) return server;
    const std::string host = http.address.find(':') == std::string::npos ? http.address : "[" + http.address + "]";
    log_info("listening", {{"service", "web"}, {"address", fmt::format("{}:{}", host, (*server)->port())}});
    const char* const scheme = flags_.access.tls_cert.empty() ? "http" : "https";
    log_info("web page", {{"url", fmt::format("{}://{}:{}/", scheme, host, (*server)->port())},
                          {"token_file", token_path(flags_.access, cli_.data_folder())}});
    return server;
  }

  int follow(history::HistoryStore& store) {
    web::LogTailer tailer(
        [this](const metriclog::ReaderOptions& options) { return open_log_reader(flags_.log, options); }, store, state_,
        broadcaster_, clock_, registry_, stop_);
    tailer.tell_data_time([this] { return rules_->has_rules(); },
                          [this](const analysis::DataTime::Reading& time) { rules_->take_data_time(time); });
    const Signals signals(loop_, [&](int) {
      stop_ = true;
      service_.stopping();
      rules_->let_go();
      tailer.wake();
      // Ends the process if threads do not stop in time; committed data is safe.
      std::thread([ns = cli_.drain_timeout_ns()] {
        std::this_thread::sleep_for(std::chrono::nanoseconds(ns));
        _exit(kExitOk);
      }).detach();
    });
    std::thread reading([&] {
      tailer.run();
      loop_.stop();
    });
    rules_->start();
    scores_->start();
    if (silences_) silences_->start();
    log_info("reading", {{"log", flags_.log.address()}});
    service_.set_status([this] { return "reading " + flags_.log.address(); });
    service_.ready();
    loop_.run();
    reading.join();
    rules_->stop();
    scores_->stop();
    return kExitOk;
  }

  const Cli& cli_;
  ServeFlags& flags_;
  const bool http_named_;
  SystemClock clock_;
  mutable PosixDisk disk_;
  const agent::AuthorsCatalog catalog_;
  telemetry::Registry registry_;
  EventLoop loop_;
  ServiceNotifier service_{loop_, ServiceEnvironment::read()};
  web::State state_;
  web::EventBroadcaster broadcaster_;
  std::unique_ptr<analysis::unusual::TrackingThread> scores_;
  std::unique_ptr<AlertNotifications> notifications_;
  std::unique_ptr<ServeRules> rules_;         // its thread uses the notifications
  std::unique_ptr<SilenceSharing> silences_;  // nullptr: there are no other instances
  std::atomic<bool> stop_ = false;
};

Result<uint64_t> size_of(const char* option, const std::string& text, const char* least) {
  auto size = parse_size(text);
  if (!size) return size.error().with_context(option);
  if (*size >= parse_size(least).value()) return size;
  return Error(Code::kInvalidArgument, fmt::format("{}: got {}, expected {} or more", option, text, least));
}

}  // namespace

int serve_page(const Cli& cli, ServeFlags& flags) {
  if (const std::string fault = resolve_log(cli, flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = resolve_configuration(cli, flags.etcd, flags.dir); !fault.empty()) {
    return cli.usage_error(fault);
  }
  if (const std::string fault = check_etcd_flags(flags.etcd); !fault.empty()) return cli.usage_error(fault);
  const auto http = telemetry::parse_http_address(flags.http);
  if (!http) return cli.usage_error("--http: " + http.error().message());
  if (const std::string fault = check_access(flags.access, *http); !fault.empty()) return cli.usage_error(fault);
  warn_about_access(flags.access, *http);
  if (!flags.external_url.empty()) {
    auto url = parse_external_url(flags.external_url);
    if (!url) return cli.usage_error(url.error().message());
    flags.external_url = std::move(*url);
    flags.access.hosts.push_back(host_of_external_url(flags.external_url));
  }
  history::HistoryOptions options{.path = flags.history.empty() ? cli.data_folder() + "/history.db" : flags.history};
  const auto most = size_of("--history-max", flags.history_max, "16MiB");
  if (!most) return cli.usage_error(most.error().message());
  options.max_bytes = *most;
  const auto query_memory = size_of("--query-memory", flags.query_memory, "1MiB");
  if (!query_memory) return cli.usage_error(query_memory.error().message());
  for (size_t i = 0; i < options.keep_ns.size(); ++i) {
    if (flags.keep_ns[i] > 0) options.keep_ns[i] = flags.keep_ns[i];
  }
  PosixDisk disk;
  if (const Status made = make_trusted_folder(disk, cli.data_folder(), "the data folder"); !made) {
    log_error("the data folder cannot be used", {{"reason", made.error()}});
    return exit_code_for(made.error());
  }
  const auto* const option = cli.subcommand_option("serve", "--http");
  return Page(cli, flags, option != nullptr && option->count() > 0).run(*http, options);
}

}  // namespace monitor
