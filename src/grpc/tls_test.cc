// TLS between channel and server, and the transform by itself.
#include "grpc/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "grpc/channel.h"
#include "grpc/server.h"
#include "grpc/testing/certificates.h"

namespace monitor::grpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { certificates_ = new TestCertificates; }
  static void TearDownTestSuite() { delete certificates_; }

  static std::shared_ptr<const SecurityContext> server_context(bool mutual = false) {
    TlsServerOptions options{certificates_->server_certificate(), certificates_->server_key(), ""};
    if (mutual) options.client_ca_file = certificates_->ca();
    auto context = TlsServerContext::load(options);
    EXPECT_TRUE(context.ok()) << context.error().to_string();
    return *context;
  }
  static std::shared_ptr<const SecurityContext> client_context(const std::string& ca, const std::string& name,
                                                               bool with_certificate = false) {
    TlsClientOptions options{.ca_file = ca, .server_name = name, .certificate_file = "", .key_file = ""};
    if (with_certificate) {
      options.certificate_file = certificates_->client_certificate();
      options.key_file = certificates_->client_key();
    }
    auto context = TlsClientContext::load(options);
    EXPECT_TRUE(context.ok()) << context.error().to_string();
    return *context;
  }

  // Makes one unary call; the server answers with what it knows about the client's certificate.
  Result<std::string> call(std::shared_ptr<const SecurityContext> server_side,
                           std::shared_ptr<const SecurityContext> client_side) {
    ServerOptions server_options;
    server_options.security = std::move(server_side);
    Server server(loop_, server_options);
    server.add_unary("/test.Who/Am", [](ServerCall& call, std::string_view request) -> Result<std::string> {
      const PeerCertificate* peer = call.peer_certificate();
      if (peer == nullptr) return "nobody, " + std::to_string(request.size());
      return peer->common_names.at(0) + " " + peer->dns_names.at(0) + " " + peer->uris.at(0);
    });
    const Result<uint16_t> port = server.listen("127.0.0.1", 0);
    EXPECT_TRUE(port.ok());
    ChannelOptions options;
    options.host = "127.0.0.1";
    options.port = *port;
    options.security = std::move(client_side);
    Channel channel(loop_, resolver_, options);
    std::optional<Result<std::string>> result;
    channel.unary("/test.Who/Am", std::string(2'000'000, 'x'), {},
                  [&](Result<std::string> answer) { result = std::move(answer); });
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (!result && clock_.mono_ns() < end) loop_.run_once(100 * kNanosPerMilli);
    if (!result) return Error(Code::kInternal, "the call did not end");
    return *result;
  }

  static TestCertificates* certificates_;
  SystemClock clock_;
  EventLoop loop_{clock_};
  ThreadResolver resolver_{loop_};
};
TestCertificates* TlsTest::certificates_ = nullptr;

TEST_F(TlsTest, VerifiesTheServerByNameAndByAddress) {
  for (const char* name : {"localhost", "127.0.0.1"}) {
    const Result<std::string> answer = call(server_context(), client_context(certificates_->ca(), name));
    ASSERT_TRUE(answer.ok()) << answer.error().to_string();
    EXPECT_EQ(*answer, "nobody, 2000000");
  }
}

TEST_F(TlsTest, RejectsAWrongNameOrAuthority) {
  const Result<std::string> name = call(server_context(), client_context(certificates_->ca(), "elsewhere"));
  ASSERT_FALSE(name.ok());
  EXPECT_EQ(name.error().code(), Code::kUnavailable);
  EXPECT_THAT(name.error().message(), HasSubstr("hostname mismatch"));
  const Result<std::string> authority = call(server_context(), client_context(certificates_->other_ca(), "localhost"));
  ASSERT_FALSE(authority.ok());
  EXPECT_THAT(authority.error().message(), HasSubstr("certificate"));
}

TEST_F(TlsTest, RequiresAndReportsTheClientCertificate) {
  const Result<std::string> answer = call(server_context(true), client_context(certificates_->ca(), "localhost", true));
  ASSERT_TRUE(answer.ok()) << answer.error().to_string();
  EXPECT_EQ(*answer, "agent-7 agent-7.example spiffe://example/agent-7");
  const Result<std::string> without = call(server_context(true), client_context(certificates_->ca(), "localhost"));
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().code(), Code::kUnavailable);
}

TEST_F(TlsTest, RejectsPlaintextClientsAndServers) {
  EXPECT_EQ(call(server_context(), nullptr).error().code(), Code::kUnavailable);
  EXPECT_EQ(call(nullptr, client_context(certificates_->ca(), "localhost")).error().code(), Code::kUnavailable);
}

TEST_F(TlsTest, NamesBadFiles) {
  const auto missing = TlsServerContext::load({"/does/not/exist.pem", certificates_->server_key(), ""});
  EXPECT_THAT(missing.error().message(), HasSubstr("/does/not/exist.pem"));
  const auto mixed = TlsServerContext::load({certificates_->server_certificate(), certificates_->client_key(), ""});
  EXPECT_THAT(mixed.error().message(), HasSubstr("client.key"));
}

// Moves bytes both ways, `piece` at a time, until neither side has any left.
void pump(SecureTransform& a, SecureTransform& b, size_t piece, std::string& plain_a, std::string& plain_b) {
  std::string to_b;
  std::string to_a;
  while (true) {
    a.take_output(to_b);
    b.take_output(to_a);
    if (to_a.empty() && to_b.empty()) return;
    for (size_t i = 0; i < to_b.size(); i += piece) ASSERT_TRUE(b.receive(to_b.substr(i, piece), plain_b).ok());
    for (size_t i = 0; i < to_a.size(); i += piece) ASSERT_TRUE(a.receive(to_a.substr(i, piece), plain_a).ok());
    to_a.clear();
    to_b.clear();
  }
}

TEST_F(TlsTest, PeerCertificateSaysWhatTheCertificateProves) {
  const auto server = server_context(true)->new_connection();
  const auto client = client_context(certificates_->ca(), "localhost", true)->new_connection();
  std::string at_client;
  std::string at_server;
  pump(*client, *server, 100'000, at_client, at_server);
  const PeerCertificate* const peer = server->peer_certificate();
  ASSERT_NE(peer, nullptr);
  EXPECT_THAT(peer->common_names, ElementsAre("agent-7"));
  EXPECT_THAT(peer->dns_names, ElementsAre("agent-7.example"));
  EXPECT_THAT(peer->uris, ElementsAre("spiffe://example/agent-7"));
  EXPECT_EQ(peer->subject, "CN=agent-7");
  EXPECT_EQ(peer->issuer, "CN=test CA");
  EXPECT_THAT(peer->serial, testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_THAT(peer->sha256, testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(peer->sha256.size(), 64U);
  // The certificate is valid from an hour ago until a day from now.
  const int64_t now = clock_.wall_ns() / kNanosPerSecond;
  EXPECT_NEAR(static_cast<double>(peer->not_before), static_cast<double>(now - 3600), 60);
  EXPECT_NEAR(static_cast<double>(peer->not_after), static_cast<double>(now + 86400), 60);
  EXPECT_FALSE(peer->ca);
}

TEST_F(TlsTest, TransformAcceptsPiecesOfAnySize) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{100'000}}) {
    const auto server = server_context()->new_connection();
    const auto client = client_context(certificates_->ca(), "localhost")->new_connection();
    std::string at_client;
    std::string at_server;
    pump(*client, *server, piece, at_client, at_server);
    ASSERT_TRUE(client->ready() && server->ready());
    const std::string text(100'000, 'y');
    ASSERT_TRUE(client->send(text).ok());
    ASSERT_TRUE(server->send("short").ok());
    pump(*client, *server, piece, at_client, at_server);
    EXPECT_EQ(at_server, text);
    EXPECT_EQ(at_client, "short");
    client->close();
    pump(*client, *server, piece, at_client, at_server);
    EXPECT_TRUE(server->peer_closed());
  }
}

}  // namespace
}  // namespace monitor::grpc
