#include "bin/analysis/rules_command.h"

#include <signal.h>

#include "bin/analysis/config_stores.h"
#include "bin/analysis/rules_actions.h"

namespace monitor {

namespace {

void add_files(CLI::App& sub, RulesFlags& flags, const char* what) {
  sub.add_option("files", flags.files, what)->type_name("FILE")->required();
}

// Each subcommand with options of a log has options of its own, so `log.naming` collects those of all.
void add_data(CLI::App& sub, RulesFlags& flags) {
  sub.add_option("--history", flags.history, "The history's file (default: <data>/history.db)")->type_name("FILE");
  const std::vector<const CLI::Option*> others = flags.log.naming;
  add_log_options(sub, flags.log);
  flags.log.naming.insert(flags.log.naming.end(), others.begin(), others.end());
}

void declare_check(CLI::App& rules, RulesFlags& flags) {
  CLI::App* const check = rules.add_subcommand(
      "check", "Check files of rules: their format, and with the series of the history or a log, what can never fire");
  add_files(*check, flags, "Files of rules, or folders with them");
  add_data(*check, flags);
  add_duration(*check, "--window", flags.window_ns, "Series exist that had a value in this time until now")
      ->default_str("1h");
  check->add_flag("--no-history", flags.no_history, "Check the format only");
  check->add_flag("--strict", flags.strict, "Warnings are failures: exit with 1");
}

void declare_replay(CLI::App& rules, RulesFlags& flags) {
  CLI::App* const replay = rules.add_subcommand("replay", "Show what rules would have done in the past");
  add_files(*replay, flags, "Files of rules, or folders with them");
  add_data(*replay, flags);
  replay->add_option("--from", flags.from, "Begin here: a time (2026-11-22T12:00:00Z) or an age (-7d)")
      ->type_name("TIME")
      ->capture_default_str();
  replay->add_option("--to", flags.to, "End here (default: now)")->type_name("TIME");
  replay->add_option("--alert", flags.alert, "Only this alert")->type_name("NAME");
  replay->add_option("--format", flags.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

}  // namespace

RulesCommand::RulesCommand(CLI::App& app) {
  rules_ = app.add_subcommand("rules", "Check, test and replay alerting and recording rules; store them for all");
  rules_->require_subcommand(1);
  declare_check(*rules_, flags_);
  CLI::App* const test = rules_->add_subcommand("test", "Run unit tests of rules, in the format of promtool");
  add_files(*test, flags_, "Files of tests");
  test->add_option("--kafka-properties-file", flags_.log.kafka_properties_file,
                   "File with properties of the Kafka client, for samples of a log on Kafka")
      ->type_name("FILE");
  declare_replay(*rules_, flags_);
  CLI::App* const put = rules_->add_subcommand("put", "Store a file of rules in the configuration, for every server");
  put->add_option("name", flags_.name, "The name under which it is stored")->type_name("NAME")->required();
  add_files(*put, flags_, "The file");
  put->get_option("files")->expected(1);
  CLI::App* const list = rules_->add_subcommand("list", "List the stored rules");
  CLI::App* const rm = rules_->add_subcommand("rm", "Remove stored rules");
  rm->add_option("name", flags_.name, "The name under which they are stored")->type_name("NAME")->required();
  for (CLI::App* const sub : {put, list, rm}) add_configuration_options(*sub, flags_.etcd, flags_.dir);
}

int RulesCommand::run(const Cli& cli) {
  // These commands need no cleanup, so a signal may end them at once; reading a log blocks signals again.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::string name = rules_->get_subcommands().front()->get_name();
  if (name == "check") return run_rules_check(cli, flags_);
  if (name == "test") return run_rules_test(cli, flags_);
  if (name == "replay") return run_rules_replay(cli, flags_);
  if (name == "put") return run_rules_put(cli, flags_);
  return name == "list" ? run_rules_list(cli, flags_) : run_rules_rm(cli, flags_);
}

}  // namespace monitor
