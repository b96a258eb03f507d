#include "ui/web/query_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/time_format.h"

namespace monitor::analysis::web {

struct QueryPool::Job {
  WebServer::Responder responder;
  std::string client;
  int64_t arrived_ns = 0;
  int64_t timeout_ns = 0;
  const QueryPoolOptions& options;
  Work work;
  std::atomic<bool> gone = false;
  Reply reply = {};

  Status check(int64_t now_ns) const {
    if (gone) return Error(Code::kCancelled, "the client has closed the connection");
    if (now_ns - arrived_ns < timeout_ns) return {};
    return Error(Code::kDeadlineExceeded,
                 fmt::format("{} took longer than {}: {}", options.one, format_duration(timeout_ns), options.advice));
  }
};

struct QueryPool::Slot {
  Slot(EventLoop& loop, const std::string& history_path) : results(rules::store_path(history_path)), worker(loop) {}

  // Used on the worker's thread.
  std::unique_ptr<history::HistoryReader> reader;
  std::unique_ptr<history::AgentFactsReader> facts;
  rules::ResultReader results;
  std::shared_ptr<Job> job;  // that runs
  ThreadWorker worker;       // ends first
};

QueryPool::QueryPool(EventLoop& loop, QueryPoolOptions options, Refusal refusal, telemetry::Registry& registry)
    : loop_(loop),
      options_(std::move(options)),
      refusal_(std::move(refusal)),
      refused_(registry.counter(metric("refused_total"), "Those refused because too many were waiting.")),
      ended_(registry.counter(metric("ended_total"),
                              "Those ended because their time was over or their client had gone away.")) {
  for (size_t i = 0; i < options_.at_once; ++i) {
    slots_.push_back(std::make_unique<Slot>(loop, options_.history_path));
  }
  registry.gauge_from(metric("running"), "Those that run now.", [this] {
    return static_cast<double>(std::ranges::count_if(slots_, [](const auto& slot) { return slot->job != nullptr; }));
  });
}

QueryPool::~QueryPool() {
  loop_.cancel_timer(timer_);
  for (const auto& slot : slots_) {
    if (slot->job) slot->job->gone = true;
  }
}

std::string QueryPool::metric(const char* what) const { return fmt::format("monitor_web_{}_{}", options_.name, what); }

size_t QueryPool::running_of(const std::string& client) const {
  return static_cast<size_t>(
      std::ranges::count_if(slots_, [&](const auto& slot) { return slot->job && slot->job->client == client; }));
}

void QueryPool::submit(const WebServer::Responder& responder, std::string client, int64_t timeout_ns, Work work) {
  const auto of_client =
      static_cast<size_t>(std::ranges::count_if(waiting_, [&](const auto& job) { return job->client == client; }));
  if (waiting_.size() >= options_.waiting || of_client >= std::max<size_t>(1, options_.waiting / 2)) {
    refused_.add();
    responder.reply(refusal_(
        Error(Code::kUnavailable, fmt::format("{} {} are waiting, {} of them from this address; at most {} and "
                                              "{} are accepted: try again in a moment",
                                              waiting_.size(), options_.name, of_client, options_.waiting,
                                              std::max<size_t>(1, options_.waiting / 2)))));
    return;
  }
  waiting_.push_back(std::make_shared<Job>(responder, std::move(client), loop_.clock().mono_ns(), timeout_ns, options_,
                                           std::move(work)));
  start_some();
  if (looking_) return;
  looking_ = true;
  timer_ = loop_.call_after(options_.look_ns, [this] { look(); });
}

void QueryPool::start_some() {
  for (const auto& slot : slots_) {
    if (slot->job) continue;
    // One thread is left for other addresses.
    const size_t most = std::max<size_t>(1, slots_.size() - 1);
    const auto next = std::ranges::find_if(waiting_, [&](const auto& job) { return running_of(job->client) < most; });
    if (next == waiting_.end()) return;
    std::shared_ptr<Job> job = std::move(*next);
    waiting_.erase(next);
    start(*slot, std::move(job));
  }
}

void QueryPool::start(Slot& slot, std::shared_ptr<Job> job) {
  slot.job = job;
  slot.worker.submit([this, &slot, job] { job->reply = run(slot, *job); },
                     [this, &slot, job] {
                       if (!job->check(loop_.clock().mono_ns())) ended_.add();
                       slot.job.reset();
                       job->responder.reply(std::move(job->reply));
                       start_some();
                     });
}

Reply QueryPool::run(Slot& slot, const Job& job) const {
  const Clock& clock = loop_.clock();
  if (Status may = job.check(clock.mono_ns()); !may) return refusal_(may.error());
  if (!slot.reader) {
    auto opened = history::HistoryReader::open(options_.history_path);
    if (!opened) return refusal_(Error(Code::kUnavailable, opened.error().message()));
    slot.reader = std::move(*opened);
  }
  if (!slot.facts) {
    auto opened = history::AgentFactsReader::open(history::facts_path(options_.history_path));
    if (opened) slot.facts = std::move(*opened);
  }
  Reply reply = job.work({.reader = *slot.reader,
                          .facts = slot.facts.get(),
                          .results = slot.results,
                          .check = [&job, &clock] { return job.check(clock.mono_ns()); },
                          .waited_ns = clock.mono_ns() - job.arrived_ns});
  if (reply.status == 500) {
    // The files may have been replaced.
    slot.reader.reset();
    slot.facts.reset();
  }
  return reply;
}

void QueryPool::look() {
  for (const auto& slot : slots_) {
    if (slot->job && slot->job->responder.gone()) slot->job->gone = true;
  }
  drop_waiting();
  start_some();
  const bool idle =
      waiting_.empty() && std::ranges::none_of(slots_, [](const auto& slot) { return slot->job != nullptr; });
  looking_ = !idle;
  if (looking_) timer_ = loop_.call_after(options_.look_ns, [this] { look(); });
}

void QueryPool::drop_waiting() {
  std::erase_if(waiting_, [this](const std::shared_ptr<Job>& job) {
    if (job->responder.gone()) job->gone = true;
    const Status may = job->check(loop_.clock().mono_ns());
    if (may) return false;
    ended_.add();
    job->responder.reply(refusal_(may.error()));
    return true;
  });
}

}  // namespace monitor::analysis::web
