#include "bin/up/up_flags.h"

#include <fmt/format.h>

#include "base/net/loopback.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/brokers.h"
#include "telemetry/http/http_server.h"

namespace monitor {

namespace {

// The page's own checks name options of `serve`.
std::string check_page(const UpFlags& flags) {
  if (flags.web_tls_cert.empty() != flags.web_tls_key.empty()) {
    return "--web-tls-cert and --web-tls-key need each other";
  }
  const auto parsed = telemetry::parse_http_address(flags.web);
  if (!parsed || flags.web_insecure || is_loopback_host(parsed->address)) return "";
  if (!flags.web_tls_cert.empty() && !flags.web_users.empty()) return "";
  return fmt::format(
      "--web: other hosts can reach {}: give --web-tls-cert, --web-tls-key and --web-users, or "
      "--web-insecure",
      parsed->address);
}

}  // namespace

CLI::App* declare_up(Cli& cli, UpFlags& flags) {
  CLI::App& up = *cli.app().add_subcommand("up", "Run server, analysis and agent on this machine and print the values");
  up.add_option("--duration", flags.duration, "Stop after this time: 10s, 5m (default: run until stopped)")
      ->type_name("DURATION");
  up.add_option("--port", flags.port, "Port of the server; 0 picks a free one (default: 50051, or a free port)")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535));
  up.add_option("--interval", flags.interval, "Time between ticks; written into the agent's configuration")
      ->type_name("DURATION");
  up.add_option("--agent-id", flags.agent_id, "Id of the agent (default: the host's name)")->type_name("ID");
  up.add_option("--group", flags.groups, "A group of the agent; may be repeated")->type_name("GROUP");
  up.add_option("--format", flags.format, "Output of the values: table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  add_etcd_options(up, flags.etcd);
  up.add_option("--http", flags.http,
                "Serve the server's /metrics, /healthz and /readyz on ADDR:PORT, or off (default: 127.0.0.1:9464, or a "
                "free port)")
      ->type_name("ADDR:PORT|off");
  up.add_option("--web", flags.web, "Serve the web page on ADDR:PORT, or off (default: 127.0.0.1:8080, or a free port)")
      ->type_name("ADDR:PORT|off");
  up.add_option("--web-users", flags.web_users, "Require a login on the web page by a user of this file")
      ->type_name("FILE");
  up.add_option("--web-tls-cert", flags.web_tls_cert, "Serve the web page over TLS with this certificate chain (PEM)")
      ->type_name("FILE");
  up.add_option("--web-tls-key", flags.web_tls_key, "Private key of --web-tls-cert (PEM)")->type_name("FILE");
  up.add_option("--rules", flags.rules, "Evaluate the alerting and recording rules of this file, or folder of files")
      ->type_name("FILE|DIR")
      ->allow_extra_args(false);
  up.add_option("--notify", flags.notify, "Notify the receivers of this file of the alerts of rules")
      ->type_name("FILE");
  up.add_option("--external-url", flags.external_url,
                "Where people find the web page, for links in notifications (default: this host's name and the port)")
      ->type_name("URL");
  up.add_flag("--web-insecure", flags.web_insecure,
              "Allow the web page plain text, and reading without a login, on an address that other hosts can reach");
  up.add_option("--kafka", flags.kafka,
                "Keep the metric log in Kafka at HOST:PORT instead of in a file in the data folder")
      ->type_name("HOST:PORT,...");
  add_optional_value(
      up, "--simulate", flags.simulate,
      "Let the agent generate realistic values instead of reading the host: --simulate or --simulate=SEED")
      ->type_name("[SEED]");
  return &up;
}

std::string check_up_flags(const UpFlags& flags, int64_t& duration_ns) {
  duration_ns = 0;
  if (!flags.duration.empty()) {
    const auto parsed = parse_duration_with_unit(flags.duration);
    if (!parsed) return "--duration: " + parsed.error().message();
    if (*parsed == 0) return "--duration: got 0, expected more than 0; omit it to run until stopped";
    duration_ns = *parsed;
  }
  if (std::string fault = check_etcd_flags(flags.etcd); !fault.empty()) return fault;
  if (!flags.kafka.empty()) {
    if (std::string fault = check_brokers(flags.kafka); !fault.empty()) return fault;
  }
  return check_page(flags);
}

}  // namespace monitor
