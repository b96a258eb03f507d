#include "bin/config/rollout_options.h"

#include "bin/common/cli.h"

namespace monitor {

namespace {

void declare_start(CLI::App& start, RolloutFlags& flags) {
  start.add_option("file", flags.file, "The new document of --group; - reads standard input")
      ->required()
      ->type_name("FILE");
  start.add_option("--canary", flags.canary, "The first step: a share (5%) or a number of agents (20)")
      ->type_name("N|N%")
      ->capture_default_str();
  start.add_option("--steps", flags.steps, "The steps after it, ascending; 100% is added if it is missing")
      ->type_name("N%,...")
      ->capture_default_str();
  add_duration(start, "--wait", flags.wait_ns, "How long each step is observed, once its agents have applied it")
      ->default_str("2m");
  add_duration(start, "--patience", flags.patience_ns, "How long an undecided judgement is awaited before the undoing")
      ->default_str("10m");
  add_duration(start, "--apply-timeout", flags.apply_ns, "How long agents may take to apply the document")
      ->default_str("2m");
  add_duration(start, "--keep", flags.keep_ns,
               "How long changed agents keep the document if no command or controller continues the rollout")
      ->default_str("10m");
  start
      .add_option("--abort-on", flags.abort_on,
                  "Undo when this PromQL expression over the counts holds: members, changed, applied, pending, failed, "
                  "refused, gone, restarted, quarantined, away")
      ->type_name("EXPRESSION")
      ->capture_default_str();
  start
      .add_option("--judge", flags.judges,
                  "Undo unless this holds: 'agent CPU', 'ticks missed', 'points/s within 20 %', 'plugin failures', "
                  "'spool growth', or PromQL; may be repeated. Default with data: ticks missed, plugin failures, spool "
                  "growth")
      ->type_name("EXPRESSION")
      ->take_all()
      ->expected(1);
  start.add_flag("--no-judge", flags.no_judge, "Judge by the agents' status only, not by data")->excludes("--judge");
  start.add_option("--spread-by", flags.spread_by, "Take agents of every value of this label: rack")
      ->type_name("LABEL");
  start.add_option("--salt", flags.salt, "Chooses other canaries (default: the group's name)")->type_name("SALT");
  start.add_flag("--retry", flags.retry, "Roll out a document that has failed in this group before");
  start.add_flag("--detach", flags.detach, "Begin it, and leave the rest to a controller or to a later command");
}

void declare_data(CLI::App& app, RolloutFlags& flags) {
  auto* const query = app.add_option("--query", flags.query,
                                     "Judge by the data of monitor-analysis serve at this address: http://HOST:8080")
                          ->type_name("URL");
  app.add_option("--query-token-file", flags.query_token_file, "API token for --query, if the page has users")
      ->type_name("FILE");
  app.add_option("--history", flags.history, "Judge by this history file (default: <data>/history.db if it exists)")
      ->type_name("FILE")
      ->excludes(query);
}

}  // namespace

RolloutCommands declare_rollout(CLI::App& app, RolloutFlags& flags) {
  RolloutCommands commands;
  commands.all = app.add_subcommand("rollout", "Roll a group's document out in steps, judged by data, undone if bad");
  CLI::App& all = *commands.all;
  all.require_subcommand(1);
  commands.start = all.add_subcommand("start", "Begin a rollout of --group and follow it to its end");
  declare_start(*commands.start, flags);
  commands.status = all.add_subcommand("status", "Show the rollout of --group, and continue it if nobody does");
  commands.watch =
      all.add_subcommand("watch", "Follow the rollout of --group to its end, and continue it if nobody does");
  commands.pause = all.add_subcommand("pause", "Hold the rollout of --group; changed agents keep the document");
  commands.resume = all.add_subcommand("resume", "Continue a paused rollout of --group");
  commands.abort = all.add_subcommand("abort", "Undo the rollout of --group");
  commands.list = all.add_subcommand("list", "List the rollouts of all groups, and how earlier ones ended");
  commands.controller =
      all.add_subcommand("controller", "Continue the rollouts of all groups, until stopped; for a service");
  for (CLI::App* const one : {commands.start, commands.status, commands.watch, commands.list, commands.controller}) {
    one->add_option("--format", flags.format, "table, or json (one object per line)")
        ->check(CLI::IsMember({"table", "json"}));
  }
  for (CLI::App* const one : {commands.status, commands.watch}) {
    one->add_flag("--read-only", flags.read_only, "Only look");
  }
  for (CLI::App* const one : {commands.start, commands.status, commands.watch, commands.controller})
    declare_data(*one, flags);
  return commands;
}

}  // namespace monitor
