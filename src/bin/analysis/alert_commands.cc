#include "bin/analysis/alert_commands.h"

#include <csignal>

#include "bin/analysis/alert_command.h"

namespace monitor {

CLI::App* AlertCommands::command(const char* name, const char* description, bool format) {
  CLI::App* const sub = alert_->add_subcommand(name, description);
  if (!format) return sub;
  sub->add_option("--store", flags_.store, "The file of alerts and silences (default: <data>/alerts.db)")
      ->type_name("FILE");
  sub->add_option("--format", flags_.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  return sub;
}

void AlertCommands::declare_silence() {
  CLI::App* const silence =
      command("silence", "Suppress notifications of some alerts for a time; list, edit and end silences");
  add_words(*silence, "--matcher", flags_.matchers,
            "A condition on labels, such as 'agent=~\"web-.*\"'; may be repeated")
      ->type_name("MATCHER");
  add_duration(*silence, "--for", flags_.for_ns, "How long it lasts: 2h; with --edit, from now on");
  silence->add_option("--from", flags_.from, "When it begins (default: now)")->type_name("TIME");
  silence->add_option("--reason", flags_.reason, "Why, for those who wonder")->type_name("REASON");
  silence->add_option("--author", flags_.author, "Who (default: the name of this user)")->type_name("NAME");
  silence->add_option("--edit", flags_.edit, "Change this silence instead of creating one")->type_name("ID");
  silence->add_option("--expire", flags_.expire, "End this silence now")->type_name("ID");
  silence->add_flag("--list", flags_.list, "List the silences that last or will begin");
  silence->add_flag("--all", flags_.all, "With --list: also those that have ended");
}

AlertCommands::AlertCommands(CLI::App& app) {
  alert_ = app.add_subcommand("alert", "Alerts, silences, and the configuration of notifications");
  alert_->require_subcommand(1);
  const auto add_config = [this](CLI::App& sub) {
    sub.add_option("--notify", flags_.config, "The configuration of notifications (default: that of the last serve)")
        ->type_name("FILE");
  };
  CLI::App* const check =
      command("check", "Check a configuration of notifications, and the files that it names", false);
  check->add_option("file", flags_.file, "The configuration")->type_name("FILE")->required();
  add_config(*command("list", "List the alerts that are firing or pending, and what keeps them quiet"));
  CLI::App* const history =
      command("history", "List past alerts, how long they lasted, and the results of their notifications");
  add_duration(*history, "--last", flags_.last_ns, "How far back")->default_str("1d");
  history->add_option("--limit", flags_.limit, "Print at most this many alerts")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  declare_silence();
  CLI::App* const test = command("test-notification", "Send a test to a receiver, and print what it answers");
  add_config(*test);
  test->add_option("--receiver", flags_.receiver, "Its name in the configuration")->type_name("NAME")->required();
  test->add_option("--integration", flags_.integration, "Only this one: webhook, email[1], ...")->type_name("NAME");
  test->add_option("--external-url", flags_.external_url,
                   "The URL of the page in the test's links (default: that of the last serve)")
      ->type_name("URL");
  test->add_option("--brokers", flags_.brokers, "For a kafka_configs without brokers")
      ->type_name("HOST:PORT,...")
      ->capture_default_str();
}

int AlertCommands::run(const Cli& cli) {
  // These commands need no cleanup, so a signal may end them at once.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::string name = alert_->get_subcommands().front()->get_name();
  if (name == "silence") return SilenceCommand(cli, flags_).run();
  AlertViewCommand command(cli, flags_);
  if (name == "check") return command.check();
  if (name == "list") return command.list();
  return name == "history" ? command.history() : command.test();
}

}  // namespace monitor
