#include "outputs/file/file_output.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "metrics/json_form.h"
#include "metrics/resource.h"
#include "payload/decode.h"

namespace monitor::agent {

namespace {

// Bounds the memory of one job: as JSON a batch is up to 30 times larger.
constexpr size_t kMostTaken = size_t{256} * 1024;
constexpr int64_t kBackoffBase = 100 * kNanosPerMilli;
constexpr int64_t kBackoffCap = 10 * kNanosPerSecond;

}  // namespace

FileOutput::FileOutput(std::shared_ptr<RotatingFile> file, Timers& timers, Worker& worker, Random& random,
                       stream::BatchSource& source, std::string agent_id)
    : timers_(timers),
      worker_(worker),
      source_(source),
      agent_id_(std::move(agent_id)),
      backoff_(random, kBackoffBase, kBackoffCap),
      file_(std::move(file)) {}

FileOutput::~FileOutput() {
  timers_.cancel_timer(retry_timer_);
  if (job_) give_back(*job_);
}

void FileOutput::Job::run(RotatingFile& file, const std::string& agent_id) {
  std::string lines;
  for (Taken& taken : batches) {
    auto batch = payload::decode_any(taken.bytes, agent_id);
    if (!batch) {
      taken.readable = batch.error();
      continue;
    }
    metrics::carry_resource(*batch);
    for (size_t i = 0; i < batch->frames.size(); ++i) lines += metrics::tick_to_json(*batch, i, false) + "\n";
    ticks += batch->frames.size();
  }
  if (!lines.empty()) written = file.append(lines);
  bytes = lines.size();
  rotations = file.rotations();
}

void FileOutput::pump() {
  if (job_ || retry_timer_ != 0) return;
  const auto job = std::make_shared<Job>();
  for (size_t taken = 0; taken < kMostTaken;) {
    const auto outgoing = source_.next();
    if (!outgoing) break;
    taken += outgoing->bytes.size();
    job->batches.push_back({outgoing->id, std::string(outgoing->bytes), {}});
  }
  if (job->batches.empty()) return;
  job_ = job;
  worker_.submit([job, file = file_, agent_id = agent_id_] { job->run(*file, agent_id); },
                 [this, job, alive = std::weak_ptr<bool>(alive_)] {
                   if (!alive.expired()) finished(*job);
                 });
}

void FileOutput::finished(const Job& job) {
  job_.reset();
  rotations_ = job.rotations;
  if (job.written) {
    succeeded(job);
  } else {
    failed(job);
  }
  pump();
  maybe_drained();
}

void FileOutput::succeeded(const Job& job) {
  ticks_ += job.ticks;
  bytes_ += job.bytes;
  source_.log_named("file:" + file_->path());
  for (const Taken& taken : job.batches) {
    if (taken.readable) {
      source_.acknowledged(taken.id);
    } else {
      source_.rejected(taken.id, stream::RejectedBy::kOutput, "invalid: " + taken.readable.error().message());
    }
  }
  backoff_.reset();
  if (problem_.empty() || job.bytes == 0) return;
  problem_.clear();
  log_info("output file is written again", {{"file", file_->path()}});
  if (on_warning_) on_warning_();
}

void FileOutput::give_back(const Job& job) {
  for (auto taken = job.batches.rbegin(); taken != job.batches.rend(); ++taken) source_.returned(taken->id);
}

void FileOutput::failed(const Job& job) {
  ++failures_;
  give_back(job);
  retry_timer_ = timers_.call_after(backoff_.next_ns(), [this] {
    retry_timer_ = 0;
    pump();
  });
  const std::string problem = job.written.error().message();
  if (problem == problem_) return;
  problem_ = problem;
  log_warning("output file cannot be written; batches wait in the spool; retrying",
              {{"file", file_->path()}, {"reason", problem_}});
  if (on_warning_) on_warning_();
}

void FileOutput::drain(std::function<void()> done) {
  drained_ = std::move(done);
  pump();
  maybe_drained();
}

void FileOutput::maybe_drained() {
  if (!drained_ || job_) return;
  timers_.call_after(0, std::exchange(drained_, nullptr));
}

OutputState FileOutput::state() const {
  OutputState state;
  state.ready = problem_.empty();
  state.in_flight = job_ ? job_->batches.size() : 0;
  if (!problem_.empty()) state.problem = state.warning = "output file cannot be written: " + problem_;
  return state;
}

std::vector<OutputMetric> FileOutput::metrics() const {
  using Kind = OutputMetric::Kind;
  return {{"output_file_writable", "1 while the output file can be written", Kind::kGauge, problem_.empty() ? 1U : 0U},
          {"output_file_ticks_total", "Ticks written to the output file", Kind::kCounter, ticks_},
          {"output_file_bytes_total", "Bytes written to the output file", Kind::kCounter, bytes_},
          {"output_file_rotations_total", "Rotations of the output file", Kind::kCounter, rotations_},
          {"output_file_failures_total", "Failed writes to the output file", Kind::kCounter, failures_}};
}

}  // namespace monitor::agent
