// The options of `monitor-analysis serve`.
#include "bin/analysis/config_stores.h"
#include "bin/analysis/external_url.h"
#include "bin/analysis/serve.h"
#include "bin/analysis/serve_rules.h"

namespace monitor {

CLI::App* declare_serve(CLI::App& app, ServeFlags& flags) {
  CLI::App* const sub = app.add_subcommand("serve", "Serve the web page and its API, with history");
  add_log_options(*sub, flags.log);
  add_configuration_options(*sub, flags.etcd, flags.dir);
  sub->add_option("--http", flags.http, "Serve the page on ADDR:PORT; 0 picks a free port")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  declare_access(*sub, flags.access);
  add_duration(*sub, "--query-timeout", flags.query_timeout_ns,
               "End a query of the API after this time (default: 30s)");
  sub->add_option("--query-threads", flags.query_threads, "Queries of the API that run at once; further ones wait")
      ->type_name("N")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  sub->add_option("--query-samples", flags.query_samples, "Samples that a query of the API may use, 8 to 16 bytes each")
      ->type_name("N")
      ->check(CLI::Range(1'000, 1'000'000'000))
      ->capture_default_str();
  sub->add_option("--query-memory", flags.query_memory,
                  "Memory that the samples and labels of a query of the API may take: bytes, or with a unit")
      ->type_name("SIZE")
      ->capture_default_str();
  declare_rules(*sub, flags.rules);
  sub->add_option("--notify", flags.notify, "Notify the receivers of this file of the alerts of rules")
      ->type_name("FILE");
  add_duration(*sub, "--notify-alone-after", flags.notify_alone_after_ns,
               "While etcd does not answer for so long, notify although another instance may do so, too")
      ->default_str("5m");
  declare_external_url(*sub, flags.external_url);
  sub->add_option("--history", flags.history, "The history's file (default: <data>/history.db)")->type_name("FILE");
  sub->add_option("--history-max", flags.history_max, "Maximum size of the history: bytes, or with a unit")
      ->type_name("SIZE")
      ->capture_default_str();
  add_duration(*sub, "--keep-full", flags.keep_ns[0], "Retention of ticks at full resolution")->default_str("1d");
  add_duration(*sub, "--keep-10s", flags.keep_ns[1], "Retention of 10 s rollups")->default_str("3d");
  add_duration(*sub, "--keep-1m", flags.keep_ns[2], "Retention of 1 min rollups")->default_str("30d");
  add_duration(*sub, "--keep-1h", flags.keep_ns[3], "Retention of 1 h rollups")->default_str("400d");
  return sub;
}

}  // namespace monitor
