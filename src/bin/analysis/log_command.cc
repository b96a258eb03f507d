#include "bin/analysis/log_command.h"

#include <unistd.h>

namespace monitor {

std::optional<int> LogCommand::check(const std::string& http) {
  if (const std::string fault = resolve_log(cli_, log_); !fault.empty()) return cli_.usage_error(fault);
  if (const std::string fault = check_log_flags(log_); !fault.empty()) return cli_.usage_error(fault);
  auto parsed = http_option(http);
  if (!parsed) return cli_.usage_error(parsed.error().message());
  http_ = std::move(*parsed);
  return std::nullopt;
}

std::optional<int> LogCommand::start(const metriclog::ReaderOptions& options) {
  auto reader = open_log_reader(log_, options);
  if (!reader) return failed("cannot read the metric log", reader.error());
  reader_ = std::move(*reader);
  observability_.emplace(clock_, *reader_, cli_.drain_timeout_ns());
  if (const Status started = observability_->start(http_, registry_); !started) return exit_code_for(started.error());
  output_.emplace(STDOUT_FILENO, observability_->stop());
  return std::nullopt;
}

int LogCommand::failed(const char* what, const Error& error) const {
  report_log_failure(what, log_, error);
  return exit_code_for_reading(log_, error);
}

}  // namespace monitor
