#include "config/etcd/etcd_client.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "config/etcd/messages.h"
#include "grpc/client_call.h"

namespace monitor::config {

namespace {

constexpr int64_t kAuthenticateTimeout = 5 * kNanosPerSecond;
// A single endpoint is dialled again only after this much silence.
constexpr int64_t kSilence = 20 * kNanosPerSecond;
// etcd may send more than gRPC's default of 4 MB: documents of 1.5 MB under several keys.
constexpr size_t kMaxMessageBytes = size_t{64} * 1024 * 1024;

bool contains(const Error& error, std::string_view text) { return error.message().find(text) != std::string::npos; }

// Errors that a new token may resolve.
bool token_refused(const Error& error) {
  return error.code() == Code::kUnauthenticated || contains(error, "invalid auth token") ||
         contains(error, "revision of auth store is old") || contains(error, "user name is empty");
}

// etcd reports these as INVALID_ARGUMENT.
Error wants_user(const Error& error) {
  return {Code::kUnauthenticated, error.message() + ": etcd requires a user (--etcd-user, --etcd-password-file)"};
}

bool connection_failed(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
}

// The connection works, but this member cannot serve calls at the moment.
bool member_failed(const Error& error) { return error.message().starts_with("etcdserver: "); }

}  // namespace

// A call of the client's user. The client and the user's handle share it, so that callbacks may drop it.
class EtcdClient::Operation final : public grpc::ClientCallHandler, public std::enable_shared_from_this<Operation> {
 public:
  Operation(Impl* client, std::string_view path, std::vector<std::string> requests)
      : client_(client), path_(path), requests_(std::move(requests)) {}

  void begin(grpc::CallStarter& connection, uint64_t connection_number, const std::string& token);
  void on_message(std::string_view message) override;
  void on_done(const grpc::CallStatus& status, const grpc::Metadata& trailers) override;
  // Reports the result to the user, unless the call is retried.
  void finish(Result<std::string> result);
  void tell(Result<std::string> result);
  void drop();
  void detach();
  // Detaches from the connection.
  void cut() { call_.reset(); }
  bool leaves_connection(const Error& error) const;
  bool dropped() const { return client_ == nullptr; }
  uint64_t connection_number() const { return connection_number_; }

  bool unary = true;
  bool needs_token = true;
  int64_t timeout_ns = 0;
  Reply reply;
  OnMessage message_callback;
  OnEnd end_callback;

 private:
  Impl* client_;
  std::string path_;
  std::vector<std::string> requests_;
  std::unique_ptr<grpc::ClientCall> call_;
  uint64_t connection_number_ = 0;
  int64_t begun_ns_ = 0;
  std::optional<std::string> answer_;
  std::string token_;
  bool renewed_ = false;
};

struct EtcdClient::Impl {
  Impl(Timers& t, std::unique_ptr<EtcdConnector> c, EtcdCredentials given)
      : timers(t), connector(std::move(c)), credentials(std::move(given)) {}

  using OperationPtr = std::shared_ptr<Operation>;

  std::unique_ptr<EtcdCall> add(const OperationPtr& operation);
  void start(const OperationPtr& operation);
  void authenticate();
  void authenticated(const Result<std::string>& answer);
  void give_up(const Error& reason);
  void end_cut();
  void remove(const OperationPtr& operation);

  Timers& timers;
  std::unique_ptr<EtcdConnector> connector;
  EtcdCredentials credentials;
  size_t endpoint = 0;
  std::unique_ptr<grpc::CallStarter> connection;
  uint64_t connection_number = 1;
  int64_t opened_ns = 0;
  int64_t last_heard_ns = 0;

  std::set<OperationPtr> running;
  std::vector<OperationPtr> waiting;  // calls that wait for a token
  std::vector<std::pair<OperationPtr, Error>> cut;
  Timers::TimerId cut_timer = 0;

  std::string token;
  bool without_token = false;  // etcd has authentication disabled
  OperationPtr authentication;
  uint64_t authentications = 0;
};

// --- One operation.

void EtcdClient::Operation::begin(grpc::CallStarter& connection, uint64_t connection_number, const std::string& token) {
  grpc::CallOptions options;
  options.metadata = {{"hasleader", "true"}};
  if (!token.empty()) options.metadata.emplace_back("token", token);
  options.timeout_ns = timeout_ns;
  options.max_message_bytes = kMaxMessageBytes;
  connection_number_ = connection_number;
  begun_ns_ = client_->timers.clock().mono_ns();
  token_ = token;
  call_ = connection.start(path_, options, *this);
  for (const std::string& request : requests_) call_->write(request);
  if (unary) call_->half_close();
}

void EtcdClient::Operation::on_message(std::string_view message) {
  if (dropped()) return;
  client_->last_heard_ns = client_->timers.clock().mono_ns();
  if (unary) {
    answer_ = std::string(message);
    return;
  }
  const auto keep = shared_from_this();
  message_callback(message);
}

void EtcdClient::Operation::on_done(const grpc::CallStatus& status, const grpc::Metadata& /*trailers*/) {
  if (!status.ok()) {
    finish(status.to_error());
  } else if (unary && answer_) {
    finish(std::move(*answer_));
  } else {
    finish(Error(Code::kUnavailable, unary ? "etcd ended a call without an answer" : "etcd ended the stream"));
  }
}

// Decides whether a failed call means that the connection must be dropped. Another member may do better. But if there
// is no other, or this member has just answered another call, dropping would only repeat all pending calls to a member
// that is already overloaded.
bool EtcdClient::Operation::leaves_connection(const Error& error) const {
  if (!connection_failed(error)) return false;
  const bool only = client_->connector->endpoints() == 1;
  if (member_failed(error)) return !only;
  if (error.code() != Code::kDeadlineExceeded) return true;
  if (client_->last_heard_ns > begun_ns_) return false;
  const int64_t heard = std::max(client_->last_heard_ns, client_->opened_ns);
  return !only || client_->timers.clock().mono_ns() - heard >= kSilence;
}

void EtcdClient::Operation::finish(Result<std::string> result) {
  if (dropped()) return;
  const auto keep = shared_from_this();
  Impl& client = *client_;
  cut();
  answer_.reset();
  if (!result) {
    if (token_refused(result.error()) && needs_token && !client.credentials.user.empty()) {
      client.without_token = false;
      if (client.token == token_) client.token.clear();
      if (unary && !std::exchange(renewed_, true)) {
        client.start(keep);
        return;
      }
    }
    if (client.credentials.user.empty() && contains(result.error(), "user name is empty")) {
      result = wants_user(result.error());
    }
    if (!connection_failed(result.error()) || member_failed(result.error())) {
      client.last_heard_ns = client.timers.clock().mono_ns();
    }
    if (connection_number_ == client.connection_number && leaves_connection(result.error())) {
      client.remove(keep);
      client.give_up(result.error());
    }
  }
  tell(std::move(result));
}

void EtcdClient::Operation::tell(Result<std::string> result) {
  if (dropped()) return;
  const auto keep = shared_from_this();
  std::exchange(client_, nullptr)->remove(keep);
  if (unary) {
    const Reply callback = std::move(reply);
    callback(std::move(result));
  } else if (!result) {
    const OnEnd callback = std::move(end_callback);
    callback(result.error());
  }
}

void EtcdClient::Operation::drop() {
  if (dropped()) return;
  const auto keep = shared_from_this();
  cut();
  std::exchange(client_, nullptr)->remove(keep);
}

void EtcdClient::Operation::detach() {
  cut();
  client_ = nullptr;
}

// --- All operations.

namespace {

template <typename Operation>
class Handle final : public EtcdCall {
 public:
  explicit Handle(std::shared_ptr<Operation> operation) : operation_(std::move(operation)) {}
  ~Handle() override { operation_->drop(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  std::shared_ptr<Operation> operation_;
};

}  // namespace

std::unique_ptr<EtcdCall> EtcdClient::Impl::add(const OperationPtr& operation) {
  start(operation);
  return std::make_unique<Handle<Operation>>(operation);
}

void EtcdClient::Impl::start(const OperationPtr& operation) {
  const bool token_missing = operation->needs_token && !credentials.user.empty() && token.empty() && !without_token;
  if (token_missing) {
    waiting.push_back(operation);
    if (authentication == nullptr) authenticate();
    return;
  }
  if (connection == nullptr) {
    connection = connector->open(endpoint);
    opened_ns = timers.clock().mono_ns();
  }
  running.insert(operation);
  operation->begin(*connection, connection_number, operation->needs_token ? token : "");
}

void EtcdClient::Impl::authenticate() {
  pb::AuthenticateRequest request;
  request.set_name(credentials.user);
  request.set_password(credentials.password);
  ++authentications;
  authentication =
      std::make_shared<Operation>(this, kAuthenticatePath, std::vector<std::string>{request.SerializeAsString()});
  authentication->needs_token = false;
  authentication->timeout_ns = kAuthenticateTimeout;
  authentication->reply = [this](const Result<std::string>& answer) { authenticated(answer); };
  start(authentication);
}

void EtcdClient::Impl::authenticated(const Result<std::string>& answer) {
  authentication.reset();
  const std::vector<OperationPtr> ready = std::exchange(waiting, {});
  auto response =
      answer ? parse_message<pb::AuthenticateResponse>(*answer) : Result<pb::AuthenticateResponse>(answer.error());
  if (response) {
    token = response->token();
  } else if (contains(response.error(), "authentication is not enabled")) {
    without_token = true;
  } else {
    const Code code =
        response.error().code() == Code::kInvalidArgument ? Code::kUnauthenticated : response.error().code();
    const Error error = Error(code, response.error().message()).with_context("authenticating as " + credentials.user);
    for (const OperationPtr& operation : ready) operation->tell(error);
    return;
  }
  for (const OperationPtr& operation : ready) {
    if (!operation->dropped()) start(operation);
  }
}

void EtcdClient::Impl::give_up(const Error& reason) {
  connection.reset();
  ++connection_number;
  endpoint = (endpoint + 1) % connector->endpoints();
  for (const OperationPtr& operation : std::exchange(running, {})) {
    operation->cut();
    cut.emplace_back(operation, Error(Code::kUnavailable, reason.message()));
  }
  if (!cut.empty() && cut_timer == 0) {
    cut_timer = timers.call_after(0, [this] { end_cut(); });
  }
}

void EtcdClient::Impl::end_cut() {
  cut_timer = 0;
  for (const auto& [operation, error] : std::exchange(cut, {})) operation->finish(error);
}

void EtcdClient::Impl::remove(const OperationPtr& operation) {
  running.erase(operation);
  std::erase(waiting, operation);
}

// --- Public interface.

EtcdClient::EtcdClient(Timers& timers, std::unique_ptr<EtcdConnector> connector, EtcdCredentials credentials)
    : impl_(std::make_unique<Impl>(timers, std::move(connector), std::move(credentials))) {}

EtcdClient::~EtcdClient() {
  impl_->timers.cancel_timer(impl_->cut_timer);
  for (const auto& operation : impl_->running) operation->detach();
  for (const auto& operation : impl_->waiting) operation->detach();
  for (const auto& [operation, error] : impl_->cut) operation->detach();
}

std::unique_ptr<EtcdCall> EtcdClient::call(std::string_view path, std::string request, int64_t timeout_ns,
                                           Reply reply) {
  auto operation = std::make_shared<Operation>(impl_.get(), path, std::vector<std::string>{std::move(request)});
  operation->timeout_ns = timeout_ns;
  operation->reply = std::move(reply);
  return impl_->add(operation);
}

std::unique_ptr<EtcdCall> EtcdClient::stream(std::string_view path, std::vector<std::string> requests,
                                             OnMessage on_message, OnEnd on_end) {
  auto operation = std::make_shared<Operation>(impl_.get(), path, std::move(requests));
  operation->unary = false;
  operation->message_callback = std::move(on_message);
  operation->end_callback = std::move(on_end);
  return impl_->add(operation);
}

void EtcdClient::give_up(const Error& reason) { impl_->give_up(reason); }
void EtcdClient::forget_token() {
  impl_->token.clear();
  impl_->without_token = false;
}
std::string EtcdClient::endpoint() const { return impl_->connector->name(impl_->endpoint); }
size_t EtcdClient::endpoints() const { return impl_->connector->endpoints(); }
int64_t EtcdClient::last_heard_ns() const { return impl_->last_heard_ns; }
uint64_t EtcdClient::authentications() const { return impl_->authentications; }

}  // namespace monitor::config
