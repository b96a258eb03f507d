#include "bin/agent_output.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/answer_within.h"
#include "base/log.h"
#include "base/net/loopback.h"
#include "base/size_format.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "bin/common/cli.h"
#include "grpc/channel.h"
#include "grpc/tls.h"
#include "outputs/file/file_output.h"
#include "outputs/stream/uplink.h"

namespace monitor {

namespace {

constexpr std::string_view kStream = "stream";
constexpr std::string_view kFile = "file:";
constexpr int64_t kLeastReload = 10 * kNanosPerMilli;
constexpr int64_t kFileAnswers = 2 * kNanosPerSecond;

bool is_file(const OutputFlags& flags) { return flags.output.starts_with(kFile); }

}  // namespace

void add_output_options(CLI::App& app, OutputFlags& flags) {
  auto* const ca = app.add_option("--tls-ca", flags.tls_ca,
                                  "Use TLS; the server's certificate must be signed by a CA in this file (PEM)")
                       ->type_name("FILE");
  app.add_option("--tls-server-name", flags.tls_server_name,
                 "Name expected in the server's certificate (default: the host)")
      ->type_name("NAME");
  auto* const cert = app.add_option("--tls-cert", flags.tls_cert,
                                    "This agent's certificate, followed by its chain (PEM); it names the agent")
                         ->type_name("FILE")
                         ->needs(ca);
  auto* const key =
      app.add_option("--tls-key", flags.tls_key, "The certificate's private key (PEM)")->type_name("FILE")->needs(cert);
  cert->needs(key);
  app.add_option("--tls-crl", flags.tls_crl,
                 "Refuse servers whose certificate a CRL in this file revokes (PEM); needs a current CRL of its CA")
      ->type_name("FILE")
      ->needs(ca);
  add_duration(app, "--tls-reload-interval", flags.tls_reload_ns,
               "How often to look whether the TLS files have changed; new connections use changed ones")
      ->default_str("2s");
  app.add_option("--join-token-file", flags.join_token_file,
                 "Join with the token in this file (`monitor-server token create`): get a certificate from the "
                 "server's CA, and renew it. Needed until the agent has joined")
      ->type_name("FILE")
      ->excludes(ca);
  app.add_option("--output", flags.output,
                 "Where batches go: stream (to --server), or file:PATH (JSON lines, one per tick)")
      ->type_name("stream|file:PATH");
  app.add_option("--output-max", flags.max, "With --output file: rotate the file at this size, at least 1MiB")
      ->type_name("SIZE");
  app.add_option("--output-files", flags.files,
                 "With --output file: number of files to keep, including the current one")
      ->type_name("COUNT");
  flags.app = &app;
}

std::string check_output_flags(const OutputFlags& flags) {
  using Options = agent::RotatingFileOptions;
  if (flags.output != kStream && (!is_file(flags) || flags.output.size() == kFile.size())) {
    return fmt::format("--output: got {}, expected stream or file:PATH", json_quote(flags.output.substr(0, 160)));
  }
  if (flags.tls_reload_ns < kLeastReload) {
    return fmt::format("--tls-reload-interval: got {}, expected 10ms or more", format_duration(flags.tls_reload_ns));
  }
  const auto max = parse_size(flags.max);
  if (!max) return "--output-max: " + max.error().message();
  if (*max < Options::kLeastMaxBytes) {
    return fmt::format("--output-max: got {}, expected at least {}", format_size(*max),
                       format_size(Options::kLeastMaxBytes));
  }
  if (flags.files < 1 || flags.files > Options::kMostFiles) {
    return fmt::format("--output-files: got {}, expected 1 to {}", flags.files, Options::kMostFiles);
  }
  const std::vector<const char*> others =
      is_file(flags) ? std::vector{"--server", "--tls-ca", "--tls-server-name", "--join-token-file"}
                     : std::vector{"--output-max", "--output-files"};
  for (const char* const option : others) {
    if (flags.app->get_option(option)->count() == 0) continue;
    return fmt::format("{} has no effect with --output {}; remove one of them", option, flags.output);
  }
  return "";
}

AgentOutput::AgentOutput(const OutputFlags& flags, EventLoop& loop, Random& random, stream::BatchSource& source,
                         std::vector<HostPort> servers, stream::Hello hello, const std::string& folder)
    : flags_(flags), loop_(loop), servers_(std::move(servers)) {
  if (is_file(flags_)) {
    worker_ = std::make_unique<ThreadWorker>(loop);
    agent::RotatingFileOptions options;
    options.path = flags_.output.substr(kFile.size());
    options.max_bytes = parse_size(flags_.max).value();
    options.files = flags_.files;
    const auto file = std::make_shared<agent::RotatingFile>(*disk_, std::move(options));
    open_ = [file, disk = disk_]() -> Status {
      // `open` may hang on a dead mount and outlive the parts of this program, so it owns what it uses.
      const auto opened = answer_within<Status>(kFileAnswers, [file, disk] { return file->open(); });
      if (opened) return *opened;
      return Error(Code::kDeadlineExceeded, "opening " + file->path() + ": no answer within 2 s");
    };
    output_ = std::make_unique<agent::FileOutput>(file, loop, *worker_, random, source, hello.agent_id);
    return;
  }
  make_stream(random, source, std::move(hello), folder);
}

void AgentOutput::make_stream(Random& random, stream::BatchSource& source, stream::Hello hello,
                              const std::string& folder) {
  resolver_ = std::make_unique<grpc::ThreadResolver>(loop_);
  open_ = [this] { return load_tls(); };
  const bool joined = has_joined(folder);
  if (joined && !flags_.tls_ca.empty()) {
    log_info("--tls-ca is given; the certificate that this agent joined with is not used", {{"folder", folder}});
  }
  if (flags_.tls_ca.empty() && (joined || !flags_.join_token_file.empty())) {
    join_ = std::make_unique<AgentJoin>(
        loop_, random,
        AgentJoinOptions{folder, hello.agent_id, flags_.join_token_file, flags_.tls_server_name, servers_});
    open_ = [this] { return join_->open(); };
  }
  output_ = std::make_unique<agent::Uplink>(
      loop_, [this](const HostPort& server) { return connect(server); }, random, source,
      agent::UplinkOptions{servers_, std::move(hello), [this] {
                             if (!refresher_) return agent::CertificateValidity{};
                             const grpc::Validity first = refresher_->first_to_expire();
                             return agent::CertificateValidity{first.not_before, first.not_after};
                           }});
  if (join_) output_ = std::make_unique<JoiningOutput>(*join_, loop_, std::move(output_));
}

AgentOutput::~AgentOutput() = default;

Status AgentOutput::open() { return open_(); }

Status AgentOutput::load_tls() {
  if (flags_.tls_ca.empty()) {
    // Plain text must not take the place of the TLS that the option asks for.
    if (!flags_.tls_server_name.empty()) {
      return Error(Code::kFailedPrecondition,
                   "--tls-server-name needs --tls-ca, or an agent that has joined with --join-token-file");
    }
    warn_of_plain_text();
    return {};
  }
  for (const HostPort& server : servers_) {
    grpc::TlsClientOptions options;
    options.ca_file = flags_.tls_ca;
    options.server_name = flags_.tls_server_name.empty() ? server.host : flags_.tls_server_name;
    options.certificate_file = flags_.tls_cert;
    options.key_file = flags_.tls_key;
    options.crl_file = flags_.tls_crl;
    auto context = grpc::ReloadingSecurity::create(
        {.what = "for server " + server.host,
         .files = {options.ca_file, options.certificate_file, options.key_file, options.crl_file},
         .load = [options]() -> Result<std::shared_ptr<const grpc::SecurityContext>> {
           if (const Status key = check_secret_file(options.key_file, "the key of --tls-cert"); !key)
             return key.error();
           return grpc::TlsClientContext::load(options);
         },
         .certificate = options.certificate_file},
        loop_.clock());
    if (!context) return context.error();
    if (!refresher_) refresher_.emplace(loop_, flags_.tls_reload_ns);
    refresher_->add(*context);
    tls_[server.host] = std::move(*context);
  }
  return {};
}

void AgentOutput::warn_of_plain_text() const {
  for (const HostPort& server : servers_) {
    if (is_loopback_host(server.host)) continue;
    log_warning("batches are sent to another host without TLS: anyone on the way can read and change them",
                {{"server", server.to_string()}, {"next", "--tls-ca, and --tls-cert and --tls-key"}});
  }
}

std::unique_ptr<grpc::CallStarter> AgentOutput::connect(const HostPort& server) {
  grpc::ChannelOptions options;
  options.host = server.host;
  options.port = server.port;
  if (const auto found = tls_.find(server.host); found != tls_.end()) options.security = found->second;
  if (join_) options.security = join_->security(server.host);
  options.session = agent::uplink_session_options();
  return std::make_unique<grpc::Channel>(loop_, *resolver_, options);
}

}  // namespace monitor
