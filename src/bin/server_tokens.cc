#include "bin/server_tokens.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <iostream>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "identity/ca/authority.h"

namespace monitor {

namespace {

int fail(const char* what, const Error& error) {
  log_error(what, {{"reason", error}});
  if (error.code() == Code::kInvalidArgument) return kExitUsage;
  return error.code() == Code::kUnavailable ? kExitTempFail : kExitIo;
}

int create(identity::EnrollmentStore& store, const TokenFlags& flags) {
  const auto token = store.create_token({.pattern = flags.pattern, .life_ns = flags.life_ns, .max_uses = flags.uses});
  if (!token) return fail("cannot create a token", token.error());
  std::cout << token->text() << '\n' << std::flush;
  log_info(
      "join token created; it is shown only once",
      {{"token", token->id}, {"agent", flags.pattern}, {"for", format_duration(flags.life_ns)}, {"uses", flags.uses}});
  return kExitOk;
}

// The agents that have joined with the token, each once.
std::string agents_of(const identity::TokenRecord& token) {
  std::set<std::string> agents;
  for (const identity::TokenUse& use : token.uses) agents.insert(use.agent_id);
  std::string text;
  for (const std::string& agent : agents) {
    if (text.size() > 60) return text + ", ...";
    text += (text.empty() ? "" : ", ") + agent;
  }
  return text;
}

int list(identity::EnrollmentStore& store, const TokenFlags& flags, int64_t now_ns) {
  const auto tokens = store.tokens();
  if (!tokens) return fail("cannot list tokens", tokens.error());
  if (flags.format == "json") {
    nlohmann::json out = nlohmann::json::array();
    for (const identity::TokenRecord& one : *tokens) {
      nlohmann::json agents = nlohmann::json::array();
      for (const identity::TokenUse& use : one.uses) agents.push_back(use.agent_id);
      out.push_back({{"id", one.id},
                     {"agent", one.pattern},
                     {"state", one.state(now_ns)},
                     {"created", format_rfc3339(one.created_ns, 0)},
                     {"expires", format_rfc3339(one.expires_ns, 0)},
                     {"uses", one.uses.size()},
                     {"max_uses", one.max_uses},
                     {"refused", one.refused},
                     {"joined", std::move(agents)}});
    }
    std::cout << out.dump(2) << '\n';
    return kExitOk;
  }
  std::cout << fmt::format("{:<18}{:<20}{:<9}{:<22}{:<10}{:<9}{}\n", "TOKEN", "AGENT", "STATE", "EXPIRES", "USES",
                           "REFUSED", "JOINED");
  for (const identity::TokenRecord& one : *tokens) {
    std::cout << fmt::format("{:<18}{:<20}{:<9}{:<22}{:<10}{:<9}{}\n", one.id, one.pattern, one.state(now_ns),
                             format_rfc3339(one.expires_ns, 0), fmt::format("{}/{}", one.uses.size(), one.max_uses),
                             one.refused, agents_of(one));
  }
  return kExitOk;
}

int revoke(identity::EnrollmentStore& store, const TokenFlags& flags) {
  const auto revoked = store.revoke_token(flags.id);
  if (!revoked) return fail("cannot revoke the token", revoked.error());
  if (*revoked) {
    log_info("join token revoked", {{"token", flags.id}});
    return kExitOk;
  }
  // What was given may be a whole token, which is a secret.
  log_error("no such token; `monitor-server token list` shows them by their ids of 16 digits");
  return kExitNegative;
}

int revoke_agent(identity::EnrollmentStore& store, const TokenFlags& flags) {
  const auto revoked = store.revoke_agent(flags.agent);
  if (!revoked) {
    const int code = fail("cannot revoke the agent", revoked.error());
    return revoked.error().code() == Code::kNotFound ? kExitNegative : code;
  }
  log_info(
      "agent revoked; a running server ends its streams within seconds",
      {{"agent", flags.agent},
       {"certificates", revoked->unlisted ? "all; their list cannot be read" : std::to_string(revoked->certificates)}});
  if (revoked->unlisted) {
    log_warning(
        "the CRL does not contain the agent's certificates; servers that use crl.pem accept them until they expire",
        {{"agent", flags.agent}});
  }
  for (const Error& failure : revoked->failures) log_error("the revocation is incomplete", {{"reason", failure}});
  for (const std::string& token : revoked->tokens) {
    log_warning("a token that matches this agent can still join others",
                {{"token", token}, {"next", "monitor-server token revoke " + token}});
  }
  return revoked->failures.empty() ? kExitOk : kExitIo;
}

}  // namespace

void add_token_commands(CLI::App& app, TokenFlags& flags) {
  CLI::App& token = *app.add_subcommand("token", "Create, list and revoke the tokens with which agents join");
  token.require_subcommand(1);
  CLI::App& make = *token.add_subcommand("create", "Print a new token; it is shown only once");
  make.add_option("--agent", flags.pattern, "Agents that it may join: an id, or a pattern with * and ?, as 'web-*'")
      ->type_name("PATTERN")
      ->required();
  add_duration(make, "--for", flags.life_ns, "How long it may be used, 1s to 30d (default 24h)");
  make.add_option("--uses", flags.uses, "How many agents it may join, 1 to 1000")->type_name("N");
  CLI::App& show = *token.add_subcommand("list", "List the tokens, without their secrets");
  show.add_option("--format", flags.format, "table or json")->check(CLI::IsMember({"table", "json"}));
  token.add_subcommand("revoke", "Make a token useless; agents that have joined with it are not affected")
      ->add_option("ID", flags.id, "The token's id, as `token list` shows it")
      ->type_name("ID")
      ->required();
  CLI::App& agent = *app.add_subcommand("agent", "Revoke agents");
  agent.require_subcommand(1);
  agent.add_subcommand("revoke", "Revoke an agent's certificates and end its streams")
      ->add_option("AGENT-ID", flags.agent, "The agent's id")
      ->type_name("AGENT-ID")
      ->required();
}

UnusedGroups token_unused_groups() {
  UnusedGroups unused;
  for (const char* const path : {"token", "token create", "token list", "token revoke", "agent", "agent revoke"}) {
    unused[path] = {kServerOptions};
  }
  return unused;
}

bool is_token_command(const CLI::App& app) {
  return app.get_subcommand("token")->parsed() || app.get_subcommand("agent")->parsed();
}

int run_token_command(const Cli& cli, const ServerCaFlags& ca, const TokenFlags& flags) {
  if (ca.folder.empty()) return cli.usage_error("--ca-dir is required: the folder of the server's CA");
  PosixDisk disk;
  const SystemClock clock;
  SystemRandom random;
  // Creates nothing: a mistyped folder must not become a second CA.
  struct stat info{};
  if (stat(ca.folder.c_str(), &info) == 0) {
    if (const Status usable = identity::check_private_folder(disk, ca.folder); !usable) {
      return fail("cannot use the CA", usable.error());
    }
  }
  const auto authority =
      identity::Authority::open(disk, clock, random, ca.authority(), identity::Authority::Create::kNever);
  if (!authority) return fail("cannot use the CA", authority.error());
  identity::EnrollmentStore store(disk, clock, random, **authority);
  if (cli.app().get_subcommand("agent")->parsed()) return revoke_agent(store, flags);
  const CLI::App& token = *cli.app().get_subcommand("token");
  if (token.get_subcommand("create")->parsed()) return create(store, flags);
  if (token.get_subcommand("list")->parsed()) return list(store, flags, clock.wall_ns());
  return revoke(store, flags);
}

}  // namespace monitor
