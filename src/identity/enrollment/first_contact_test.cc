// The first contact of an agent with a server that it knows only by the pin of its CA, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/disk.h"
#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "grpc/channel.h"
#include "grpc/server.h"
#include "grpc/tls.h"
#include "identity/ca/authority.h"

namespace monitor::identity {
namespace {

using ::testing::HasSubstr;

class TlsPin : public ::testing::Test {
 protected:
  TlsPin() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pin-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    ours_ = authority("ours", clock_);
    other_ = authority("other", clock_);
  }
  ~TlsPin() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Authority> authority(const std::string& name, const Clock& clock) {
    const std::string folder = folder_ + "/" + name;
    EXPECT_TRUE(disk_.make_folder(folder));
    return Authority::open(disk_, clock, random_, {.folder = folder, .trust_domain = "d"}).value();
  }
  static std::vector<std::string> names() { return {"localhost"}; }

  // Makes a call to a server with this certificate and these below it. Counts the calls that reach the server.
  Status contact(const PrivateKey& key, const std::string& certificate, const std::vector<std::string>& above,
                 const std::string& pin, const std::string& name = "localhost") {
    std::string pem = key.private_pem() + certificate_pem(certificate);
    for (const std::string& one : above) pem += certificate_pem(one);
    const std::string path = folder_ + "/server.pem";
    EXPECT_TRUE(disk_.write_file(path, pem));
    grpc::TlsServerOptions tls;
    tls.certificate_file = path;
    tls.key_file = path;
    const auto context = grpc::TlsServerContext::load(tls);
    EXPECT_TRUE(context) << context.error().message();
    grpc::ServerOptions server_options;
    server_options.security = *context;
    grpc::Server server(loop_, server_options);
    server.add_unary("/test.It/Asks", [this](grpc::ServerCall&, std::string_view) -> Result<std::string> {
      ++reached_;
      return std::string();
    });
    grpc::TlsClientOptions client_tls;
    client_tls.ca_pin = pin;
    client_tls.server_name = name;
    grpc::ChannelOptions options;
    options.host = "127.0.0.1";
    options.port = server.listen("127.0.0.1", 0).value();
    options.security = grpc::TlsClientContext::load(client_tls).value();
    grpc::Channel channel(loop_, resolver_, options);
    std::optional<Result<std::string>> result;
    channel.unary("/test.It/Asks", "secret", {}, [&](Result<std::string> answer) { result = std::move(answer); });
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (!result && clock_.mono_ns() < end) loop_.run_once(100 * kNanosPerMilli);
    if (!result) return Error(Code::kInternal, "the call did not end");
    return *result ? Status() : Status(result->error());
  }
  void refused(const Status& status, const std::string& reason) {
    ASSERT_FALSE(status) << reason;
    EXPECT_THAT(status.error().message(), HasSubstr(reason));
    EXPECT_EQ(reached_, 0);
  }

  SystemClock clock_;
  SystemRandom random_;
  PosixDisk disk_;
  EventLoop loop_{clock_};
  grpc::ThreadResolver resolver_{loop_};
  std::string folder_;
  std::unique_ptr<Authority> ours_;
  std::unique_ptr<Authority> other_;
  PrivateKey key_ = PrivateKey::generate().value();
  int reached_ = 0;
};

TEST_F(TlsPin, AcceptsTheServerOfThePinnedCa) {
  const auto issued = ours_->issue_server(key_, names());
  const Status status = contact(key_, issued->der, {ours_->certificate()}, ours_->pin());
  EXPECT_TRUE(status) << status.error().message();
  EXPECT_EQ(reached_, 1);
}

TEST_F(TlsPin, RefusesAnotherCa) {
  const auto issued = other_->issue_server(key_, names());
  refused(contact(key_, issued->der, {other_->certificate()}, ours_->pin()), "has the expected public key");
}

// Anyone can send the CA's certificate, which is public.
TEST_F(TlsPin, RefusesAServerThatOnlyShowsThePinnedCa) {
  const auto issued = other_->issue_server(key_, names());
  refused(contact(key_, issued->der, {ours_->certificate()}, ours_->pin()), "the peer's certificate is refused");
  refused(contact(key_, issued->der, {other_->certificate(), ours_->certificate()}, ours_->pin()),
          "the peer's certificate is refused");
}

TEST_F(TlsPin, RefusesAChainWithoutThePinnedCa) {
  const auto issued = ours_->issue_server(key_, names());
  refused(contact(key_, issued->der, {}, ours_->pin()), "has the expected public key");
}

TEST_F(TlsPin, RefusesAnotherName) {
  const auto issued = ours_->issue_server(key_, names());
  refused(contact(key_, issued->der, {ours_->certificate()}, ours_->pin(), "elsewhere"), "hostname mismatch");
}

TEST_F(TlsPin, RefusesAnExpiredCertificate) {
  const FakeClock long_ago;
  const auto issued = authority("ours", long_ago)->issue_server(key_, names());
  refused(contact(key_, issued->der, {ours_->certificate()}, ours_->pin()), "has expired");
}

TEST_F(TlsPin, RefusesAnAgentAsServer) {
  const auto issued = ours_->issue_agent("localhost", *key_.request());
  refused(contact(key_, issued->der, {ours_->certificate()}, ours_->pin()), "the peer's certificate is refused");
}

TEST_F(TlsPin, APinDoesNotGoWithAFile) {
  grpc::TlsClientOptions tls;
  tls.ca_pin = ours_->pin();
  tls.ca_file = folder_ + "/ours/ca.pem";
  tls.server_name = "localhost";
  EXPECT_FALSE(grpc::TlsClientContext::load(tls));
}

}  // namespace
}  // namespace monitor::identity
