#include "identity/enrollment/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/time_format.h"
#include "base/trust.h"

namespace monitor::identity {

namespace {

constexpr size_t kMaxTokenFile = 4096;
constexpr int64_t kCallTimeout = 20 * kNanosPerSecond;
constexpr int64_t kEnrollBase = 1 * kNanosPerSecond;
constexpr int64_t kEnrollCap = 300 * kNanosPerSecond;
// Timers are monotonic, but certificates expire by the wall clock, which may be set at any time. A long wait is
// therefore split into short ones.
constexpr int64_t kLongestWait = 60 * kNanosPerSecond;

// Two thirds of the life, plus or minus a fifteenth, so that certificates issued together are not renewed together.
int64_t renewal_time(const StoredIdentity& identity, Random& random) {
  const double share = 2.0 / 3.0 + (random.unit() - 0.5) * 2.0 / 15.0;
  return identity.not_before_ns + static_cast<int64_t>(static_cast<double>(identity.life_ns()) * share);
}

}  // namespace

Result<JoinToken> read_token_file(const std::string& path) {
  const auto text = read_secret_file(path, kMaxTokenFile, "the join token's file");
  if (!text) return Error(Code::kFailedPrecondition, text.error().message());
  auto token = parse_join_token(*text);
  if (!token) return Error(Code::kFailedPrecondition, fmt::format("{}: {}", path, token.error().message()));
  return token;
}

EnrollmentClient::EnrollmentClient(Timers& timers, Random& random, Disk& disk, Worker& worker,
                                   EnrollmentConnector& connector, EnrollmentClientOptions options)
    : timers_(timers),
      random_(random),
      disk_(disk),
      worker_(worker),
      connector_(connector),
      options_(std::move(options)),
      paths_(options_.folder) {}

EnrollmentClient::~EnrollmentClient() {
  *alive_ = false;
  timers_.cancel_timer(timer_);
}

bool EnrollmentClient::joined() const { return identity_ && wall_ns() < identity_->not_after_ns; }

Status EnrollmentClient::open() {
  auto stored = load_identity(disk_, options_.folder, options_.agent_id);
  if (!stored) {
    return Error(stored.error().code(), fmt::format("the agent's certificate: {}; to join again, remove the folder {}",
                                                    stored.error().message(), options_.folder));
  }
  identity_ = std::move(*stored);
  if (options_.token_file.empty()) return {};
  const auto token = read_token_file(options_.token_file);
  // After the agent has joined, the token file may be removed.
  if (!token) return identity_ ? Status() : token.error();
  new_token_ = identity_ && token->id != identity_->joined_by;
  return {};
}

void EnrollmentClient::start(std::function<void()> on_identity) {
  on_identity_ = std::move(on_identity);
  if (joined()) {
    log_info("using the stored certificate", {{"agent", options_.agent_id},
                                              {"serial", identity_->serial},
                                              {"expires", format_rfc3339(identity_->not_after_ns, 0)}});
    timers_.call_after(0, [this, alive = alive_] {
      if (*alive) on_identity_();
    });
  } else {
    set_problem("the agent has not joined yet");
  }
  plan();
}

// Schedules the next action.
void EnrollmentClient::plan() {
  if (!joined()) {
    backoff_.emplace(random_, kEnrollBase, kEnrollCap);
    return wait(0);
  }
  const int64_t life = identity_->life_ns();
  backoff_.emplace(random_, std::clamp(life / 200, 200 * kNanosPerMilli, 30 * kNanosPerSecond),
                   std::clamp(life / 20, kNanosPerSecond, 3600 * kNanosPerSecond));
  renew_at_ns_ = renewal_time(*identity_, random_);
  wait(0);
}

void EnrollmentClient::wait(int64_t ns) {
  timers_.cancel_timer(timer_);
  timer_ = timers_.call_after(std::max<int64_t>(ns, 0), [this] {
    timer_ = 0;
    act();
  });
}

// While the current certificate needs no renewal, a new token is tried.
void EnrollmentClient::act() {
  if (!joined()) return prepare_enrollment();
  const int64_t left = elapsed_ns(wall_ns(), renew_at_ns_);
  if (left <= 0) return renew();
  if (new_token_) return prepare_enrollment();
  wait(std::min(left, kLongestWait));
}

void EnrollmentClient::prepare_enrollment() {
  renewing_ = false;
  if (options_.token_file.empty()) {
    return failed(
        Error(Code::kFailedPrecondition, fmt::format("the certificate expired at {}, and there is no --join-token-file",
                                                     format_rfc3339(expires_ns(), 0))));
  }
  struct Work {
    Prepared prepared;
    Status status;
  };
  const auto work = std::make_shared<Work>();
  worker_.submit(
      [work, &disk = disk_, file = options_.token_file, folder = options_.folder] {
        auto token = read_token_file(file);
        if (!token) return void(work->status = token.error());
        auto key = pending_key(disk, folder);
        if (!key) return void(work->status = key.error().with_context("storing the agent's key"));
        auto request = key->request();
        if (!request) return void(work->status = request.error());
        work->prepared = {std::move(*token), std::move(*key), std::move(*request)};
      },
      [this, alive = alive_, work] {
        if (!*alive) return;
        if (!work->status) return failed(work->status.error());
        enroll(work->prepared);
      });
}

void EnrollmentClient::enroll(const Prepared& prepared) {
  const JoinToken& token = *prepared.token;
  call(connector_.first_contact(server(), token.pin), kEnrollPath,
       encode(EnrollRequest{token.text(), options_.agent_id, prepared.request}),
       [this, key = *prepared.key, pin = token.pin, id = token.id](const EnrollReply& reply) {
         take(reply, key, pin, id);
       });
}

void EnrollmentClient::renew() {
  renewing_ = true;
  const auto key = PrivateKey::generate();
  if (!key) return failed(key.error());
  const auto request = key->request();
  if (!request) return failed(request.error());
  call(connector_.authenticated(server()), kRenewPath, encode(RenewRequest{*request}),
       [this, key = *key](const EnrollReply& reply) { take(reply, key, "", ""); });
}

void EnrollmentClient::call(Result<std::unique_ptr<grpc::CallStarter>> connection, const char* path,
                            const std::string& message, std::function<void(const EnrollReply&)> answered) {
  if (!connection) return failed(connection.error());
  calls_.reset();
  connection_ = std::move(*connection);
  calls_ = std::make_unique<grpc::UnaryCalls>(*connection_);
  grpc::CallOptions options;
  options.timeout_ns = kCallTimeout;
  options.max_message_bytes = kMaxEnrollmentReply;
  calls_->start(path, message, options, [this, answered = std::move(answered)](const Result<std::string>& result) {
    calls_.reset();
    connection_.reset();
    if (!result) return failed(result.error());
    const auto reply = parse_enroll_reply(*result);
    if (!reply) return failed(reply.error());
    answered(*reply);
  });
}

// `pin` and `token_id` are empty for a renewal.
void EnrollmentClient::take(const EnrollReply& reply, const PrivateKey& key, const std::string& pin,
                            const std::string& token_id) {
  const auto identity = check_reply(reply, options_.agent_id, key, pin, wall_ns());
  if (!identity) return failed(identity.error());
  const auto status = std::make_shared<Status>();
  worker_.submit([status, &disk = disk_, folder = options_.folder, reply, key,
                  token_id] { *status = store_identity(disk, folder, reply, key, token_id); },
                 [this, alive = alive_, status, identity = *identity, token_id] {
                   if (*alive) stored(identity, token_id, *status);
                 });
}

void EnrollmentClient::stored(const StoredIdentity& identity, const std::string& token_id, const Status& status) {
  if (!status) return failed(status.error().with_context("storing the agent's certificate"));
  const bool enrolled = !token_id.empty();
  const std::string joined_by = enrolled ? token_id : identity_->joined_by;
  identity_ = identity;
  identity_->joined_by = joined_by;
  if (enrolled) new_token_ = false;
  ++(enrolled ? stats_.enrolled : stats_.renewed);
  log_info(enrolled ? "joined; certificate stored" : "certificate renewed",
           {{"agent", options_.agent_id},
            {"server", server().to_string()},
            {"serial", identity.serial},
            {"expires", format_rfc3339(identity.not_after_ns, 0)}});
  set_problem("");
  plan();
  on_identity_();
}

void EnrollmentClient::failed(const Error& why) {
  ++stats_.failures;
  const int64_t pause = backoff_->next_ns();
  log_warning(renewing_ ? "cannot renew the certificate; retrying" : "cannot join; retrying",
              {{"agent", options_.agent_id},
               {"server", server().to_string()},
               {"reason", why},
               {"expires", identity_ ? format_rfc3339(identity_->not_after_ns, 0) : "no certificate"},
               {"wait_ms", pause / kNanosPerMilli}});
  set_problem(fmt::format("{}: {}", renewing_ ? "cannot renew the certificate" : "cannot join", why.message()));
  server_ = (server_ + 1) % options_.servers.size();
  if (renewing_) renew_at_ns_ = wall_ns() + pause;
  wait(pause);
}

void EnrollmentClient::set_problem(std::string problem) {
  if (problem == problem_) return;
  problem_ = std::move(problem);
  if (on_problem_) on_problem_();
}

}  // namespace monitor::identity
