#include "bin/doctor/doctor_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/log.h"
#include "base/text.h"
#include "config/etcd/etcd_store.h"
#include "config/file/file_store.h"
#include "config/keys.h"
#include "doctor/real/real_host.h"
#include "doctor/real/real_peers.h"
#include "doctor/run.h"

namespace monitor {

namespace {

Result<std::map<std::string, std::string>> values_of(Result<std::map<std::string, config::Stored>> stored) {
  if (!stored) return stored.error();
  std::map<std::string, std::string> values;
  for (auto& [key, entry] : *stored) values[key] = std::move(entry.value);
  return values;
}

// Every call has a loop of its own, since checks run on threads.
Result<std::map<std::string, std::string>> read_configuration(const EtcdFlags& etcd, const std::string& dir,
                                                              int64_t timeout_ns) {
  const std::string root(config::kKeyRoot);
  if (!dir.empty()) {
    PosixDisk disk;
    return values_of(config::FileStore(disk, dir).list(root));
  }
  if (!etcd.mentioned()) return Error(Code::kNotFound, "no configuration is named");
  const SystemClock clock;
  EventLoop loop(clock);
  auto connection = connect_etcd(loop, etcd);
  if (!connection) return connection.error();
  config::EtcdStore store(loop, *(*connection)->client, [&loop] { loop.run_once(-1); },
                          {.call_timeout_ns = timeout_ns, .total_timeout_ns = timeout_ns});
  return values_of(store.list(root));
}

Result<std::vector<const doctor::Check*>> chosen(const std::vector<std::string>& only) {
  const auto& all = doctor::all_checks();
  if (only.empty()) return all;
  std::vector<const doctor::Check*> checks;
  for (const std::string& name : only) {
    const auto found = std::ranges::find(all, std::string_view(name), [](const auto* check) { return check->name; });
    if (found == all.end()) {
      std::vector<std::string> names;
      for (const doctor::Check* check : all) names.emplace_back(check->name);
      return Error(Code::kInvalidArgument,
                   fmt::format("--only: got {}, expected one of {}", json_quote(name), join(names, ", ")));
    }
    checks.push_back(*found);
  }
  return checks;
}

bool wants_colour() {
  const char* const no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): before any thread
  return isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || no_color[0] == '\0');
}

}  // namespace

CLI::App* declare_doctor(CLI::App& app, DoctorCommandFlags& flags) {
  CLI::App* const command = app.add_subcommand(
      "doctor", "Check this host and its peers; without options, what `monitor up` or the installed services use");
  add_doctor_options(*command, flags.look);
  command->add_option("--format", flags.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->add_flag("--list", flags.list, "List the checks");
  add_words(*command, "--only", flags.only, "Run only these checks")->type_name("CHECK");
  add_seconds(*command, "--timeout", flags.timeout_ns, "Time limit of a check; a call to a peer gets a third of it")
      ->default_str("15s");
  return command;
}

std::shared_ptr<doctor::Peers> make_peers(const DoctorFlags& flags, const std::string& program_folder) {
  return std::make_shared<doctor::RealPeers>(program_folder,
                                             [etcd = flags.etcd, dir = flags.config_dir](int64_t timeout_ns) {
                                               return read_configuration(etcd, dir, timeout_ns);
                                             });
}

int run_doctor(const Cli& cli, DoctorCommandFlags& flags, const std::string& program_folder) {
  const auto checks = chosen(flags.only);
  if (!checks) return cli.usage_error(checks.error().message());
  if (flags.list) {
    std::cout << doctor::format_list(*checks);
    return kExitOk;
  }
  if (flags.timeout_ns < kNanosPerSecond) return cli.usage_error("--timeout: expected at least 1s");
  PosixDisk disk;
  // The report says what the log would.
  if (cli.log_level() == LogLevel::kInfo) log_set_level(LogLevel::kError);
  auto setup = resolve_setup(cli, disk, flags.look, program_folder);
  if (!setup) return cli.usage_error(setup.error().message());
  const auto shared = std::make_shared<const doctor::Setup>(std::move(*setup));
  const auto host = std::make_shared<doctor::RealHost>();
  const doctor::Report report =
      doctor::run_checks(*checks, shared, make_peers(flags.look, program_folder), host,
                         {.check_timeout_ns = flags.timeout_ns, .peer_timeout_ns = flags.timeout_ns / 3});
  if (flags.format == "json") {
    std::cout << doctor::format_json(report, *shared, version(), host->wall_ns());
  } else {
    std::cout << "checks " << shared->source << "\n" << doctor::format_text(report, wants_colour());
  }
  std::cout << std::flush;
  const int status = report.verdict() == doctor::Verdict::kFail ? kExitNegative : kExitOk;
  if (report.abandoned) _exit(status);
  return status;
}

}  // namespace monitor
