#include "bin/common/etcd_flags.h"

#include <fmt/format.h>

#include <utility>

#include "base/host_name.h"
#include "base/log.h"
#include "base/net/loopback.h"
#include "base/text.h"
#include "base/trust.h"

namespace monitor {

namespace {

constexpr uint16_t kEtcdPort = 2379;
constexpr size_t kMaxPasswordBytes = 4096;

Result<std::vector<HostPort>> targets_of(const EtcdFlags& flags) {
  std::vector<HostPort> targets;
  if (flags.endpoints.empty()) {
    targets.push_back({flags.host.empty() ? "localhost" : flags.host, flags.port == 0 ? kEtcdPort : flags.port});
    return targets;
  }
  for (const std::string_view part : split(flags.endpoints, ',')) {
    auto target = parse_host_port(std::string(trim(part)), kEtcdPort);
    if (!target) return target.error();
    targets.push_back(*target);
  }
  return targets;
}

bool uses_tls(const EtcdFlags& flags) { return !flags.ca_file.empty() || !flags.certificate_file.empty(); }

}  // namespace

std::vector<std::string> EtcdFlags::arguments() const {
  std::vector<std::string> result;
  const auto add = [&result](const char* name, const std::string& value) {
    if (!value.empty()) result.insert(result.end(), {name, value});
  };
  add("--etcd", endpoints);
  add("--etcd-host", host);
  add("--etcd-port", port == 0 ? "" : std::to_string(port));
  add("--etcd-user", user);
  add("--etcd-password-file", password_file);
  add("--etcd-ca", ca_file);
  add("--etcd-cert", certificate_file);
  add("--etcd-key", key_file);
  if (insecure && !result.empty()) result.emplace_back("--etcd-insecure");
  return result;
}

void EtcdFlags::take(const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--etcd-insecure") insecure = true;
    if (name == "--etcd-insecure" || i + 1 == arguments.size()) continue;
    const std::string& value = arguments[++i];
    if (name == "--etcd") endpoints = value;
    if (name == "--etcd-host") host = value;
    if (name == "--etcd-port") port = static_cast<uint16_t>(parse_u64(value).value_or(0));
    if (name == "--etcd-user") user = value;
    if (name == "--etcd-password-file") password_file = value;
    if (name == "--etcd-ca") ca_file = value;
    if (name == "--etcd-cert") certificate_file = value;
    if (name == "--etcd-key") key_file = value;
  }
}

std::string resolve_configuration(const Cli& cli, EtcdFlags& flags, std::string& dir) {
  if (!dir.empty() || flags.mentioned()) return "";
  const auto running = cli.running();
  if (!running) return running.error().message();
  if (const RunningSystem* const system = *running; system != nullptr) {
    dir = system->config_dir;
    flags.take(system->etcd);
    log_info("`monitor up` is running; using its configuration",
             {{"configuration", dir.empty() ? "etcd " + join(system->etcd, " ") : dir},
              {"data", system->data},
              {"process", system->pid}});
  } else if (cli.data_named()) {
    dir = cli.data_folder() + "/monitor";
  }
  return "";
}

void add_etcd_options(CLI::App& app, EtcdFlags& flags) {
  auto* const endpoints = app.add_option("--etcd", flags.endpoints,
                                         "Read the configuration from etcd: HOST:PORT, several separated by commas")
                              ->type_name("HOST:PORT,...");
  app.add_option("--etcd-host", flags.host, "Host of a single etcd (default: localhost)")
      ->type_name("HOST")
      ->excludes(endpoints);
  app.add_option("--etcd-port", flags.port, "Port of a single etcd (default: 2379)")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535))
      ->excludes(endpoints);
  app.add_option("--etcd-user", flags.user, "etcd user; needs --etcd-password-file")->type_name("USER");
  app.add_option("--etcd-password-file", flags.password_file, "File with the password on its first line")
      ->type_name("FILE");
  app.add_option("--etcd-ca", flags.ca_file,
                 "Use TLS with etcd; its certificate must be signed by a CA in this file (PEM)")
      ->type_name("FILE");
  auto* const key = app.add_option("--etcd-key", flags.key_file, "Key of --etcd-cert (PEM)")->type_name("FILE");
  auto* const certificate = app.add_option("--etcd-cert", flags.certificate_file, "Client certificate for etcd (PEM)")
                                ->type_name("FILE")
                                ->needs(key);
  key->needs(certificate);
  app.add_flag("--etcd-insecure", flags.insecure, "Allow sending the etcd password to another host without TLS");
}

std::string check_etcd_flags(const EtcdFlags& flags) {
  if (!flags.host.empty() && !valid_host(flags.host)) {
    return fmt::format("--etcd-host: got {}, expected a name or an address", json_quote(flags.host.substr(0, 300)));
  }
  const auto targets = targets_of(flags);
  if (!targets) return "--etcd: " + targets.error().message();
  if (flags.user.empty() != flags.password_file.empty()) {
    return "--etcd-user and --etcd-password-file must be used together";
  }
  if (flags.password_file.empty() || flags.insecure || uses_tls(flags)) return "";
  for (const HostPort& target : *targets) {
    if (is_loopback_host(target.host)) continue;
    return fmt::format(
        "--etcd-password-file: the password would be sent to {} without TLS; use --etcd-ca, or allow it with "
        "--etcd-insecure",
        target.to_string());
  }
  return "";
}

Result<EtcdAccount> etcd_account(const EtcdFlags& flags) {
  auto targets = targets_of(flags);
  if (!targets) return targets.error();
  EtcdAccount account;
  account.credentials.user = flags.user;
  if (!flags.password_file.empty()) {
    const auto text = read_secret_file(flags.password_file, kMaxPasswordBytes, "the password file");
    if (!text) return text.error().with_context("--etcd-password-file");
    account.credentials.password = text->substr(0, text->find_first_of("\r\n"));
  }
  if (const Status key = check_secret_file(flags.key_file, "the key of --etcd-cert"); !key) return key.error();
  account.address.endpoints = std::move(*targets);
  account.address.ca_file = flags.ca_file;
  account.address.certificate_file = flags.certificate_file;
  account.address.key_file = flags.key_file;
  account.address.tls = uses_tls(flags);
  return account;
}

Result<std::unique_ptr<EtcdConnection>> connect_etcd(EventLoop& loop, const EtcdFlags& flags) {
  auto account = etcd_account(flags);
  if (!account) return account.error();
  auto connection = std::make_unique<EtcdConnection>(loop);
  auto connector =
      config::make_etcd_connector(loop, connection->resolver, connection->random, std::move(account->address));
  if (!connector) return connector.error();
  connection->client =
      std::make_unique<config::EtcdClient>(loop, std::move(*connector), std::move(account->credentials));
  return connection;
}

}  // namespace monitor
