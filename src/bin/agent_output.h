// The output of monitor-agent: a stream to a server (--output stream), or a file (--output file:PATH).
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/result.h"
#include "base/worker.h"
#include "bin/agent_join.h"
#include "grpc/client_call.h"
#include "grpc/reloading_security.h"
#include "grpc/resolver.h"
#include "grpc/secure_transform.h"
#include "outputs/file/rotating_file.h"
#include "outputs/output.h"
#include "stream/batch_source.h"
#include "stream/messages.h"

namespace monitor {

struct OutputFlags {
  std::string output = "stream";
  std::string max = "100MiB";
  uint64_t files = agent::RotatingFileOptions::kDefaultFiles;
  std::string tls_ca;
  std::string tls_server_name;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_crl;
  int64_t tls_reload_ns = grpc::kTlsReloadInterval;
  std::string join_token_file;
  const CLI::App* app = nullptr;  // tells which options were given
};

void add_output_options(CLI::App& app, OutputFlags& flags);
// Checks how the options fit together. Returns an error text, or an empty string.
std::string check_output_flags(const OutputFlags& flags);

// Owns the output and its dependencies: the thread that writes to disk, or the resolver and the TLS contexts. Must be
// destroyed before the loop and the source.
class AgentOutput {
 public:
  // `folder` is the agent's own.
  AgentOutput(const OutputFlags& flags, EventLoop& loop, Random& random, stream::BatchSource& source,
              std::vector<HostPort> servers, stream::Hello hello, const std::string& folder);
  ~AgentOutput();

  // Call before the loop runs; blocks. Errors: TLS files that cannot be read; an output file that cannot be written, or
  // that another process writes (kAborted); a token file that cannot be used (kFailedPrecondition).
  Status open();
  agent::Output& operator*() { return *output_; }
  agent::Output* operator->() { return output_.get(); }

 private:
  // TLS contexts by server host, because each server must present a certificate for its own name. Empty without TLS.
  using SecurityByHost = std::map<std::string, std::shared_ptr<const grpc::SecurityContext>>;

  void make_stream(Random& random, stream::BatchSource& source, stream::Hello hello, const std::string& folder);
  Status load_tls();
  void warn_of_plain_text() const;
  std::unique_ptr<grpc::CallStarter> connect(const HostPort& server);

  OutputFlags flags_;
  EventLoop& loop_;
  std::shared_ptr<PosixDisk> disk_ = std::make_shared<PosixDisk>();
  std::vector<HostPort> servers_;
  SecurityByHost tls_;
  std::optional<grpc::SecurityRefresher> refresher_;  // with TLS
  std::unique_ptr<grpc::ThreadResolver> resolver_;
  std::unique_ptr<ThreadWorker> worker_;
  std::unique_ptr<AgentJoin> join_;  // unless certificates are given, or it has never joined and has no token
  std::unique_ptr<agent::Output> output_;
  std::function<Status()> open_;
};

}  // namespace monitor
