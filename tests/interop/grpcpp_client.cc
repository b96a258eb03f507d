// The interoperability client on grpc++. README.md lists the checks.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "echo.grpc.pb.h"

namespace {

using interop::Echo;
using interop::Message;

std::string read_file(const std::string& path) {
  const std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class GrpcppTest : public testing::Test {
 protected:
  GrpcppTest() {
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (const char* ca = std::getenv("ECHO_CA")) credentials = grpc::SslCredentials({read_file(ca), "", ""});
    const char* target = std::getenv("ECHO_TARGET");
    channel_ = grpc::CreateChannel(target == nullptr ? "" : target, credentials);
    stub_ = Echo::NewStub(channel_);
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Echo::Stub> stub_;
  grpc::ClientContext context_;
  Message request_;
  Message response_;
};

TEST_F(GrpcppTest, UnaryCallCarriesMetadataBothWays) {
  const std::string bytes("\x00\x01\xfe\xff, \x7f", 7);
  context_.AddMetadata("x-echo", "some value");
  context_.AddMetadata("x-echo-bin", bytes);
  request_.set_body("hello");
  const grpc::Status status = stub_->Unary(&context_, request_, &response_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.body(), "hello");
  const auto header = context_.GetServerInitialMetadata().find("x-echo");
  ASSERT_NE(header, context_.GetServerInitialMetadata().end());
  EXPECT_EQ(header->second, "some value");
  const auto trailer = context_.GetServerTrailingMetadata().find("x-echo-bin");
  ASSERT_NE(trailer, context_.GetServerTrailingMetadata().end());
  EXPECT_EQ(std::string(trailer->second.data(), trailer->second.size()), bytes);
}

TEST_F(GrpcppTest, TransfersEmptyAndLargeMessages) {
  for (const size_t size : {size_t{0}, size_t{3'000'000}}) {
    grpc::ClientContext context;
    request_.set_body(std::string(size, 'x'));
    const grpc::Status status = stub_->Unary(&context, request_, &response_);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response_.body().size(), size);
  }
  request_.set_body(std::string(5'000'000, 'x'));
  EXPECT_EQ(stub_->Unary(&context_, request_, &response_).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcppTest, ClientStreamingWorks) {
  const auto writer = stub_->ClientStream(&context_, &response_);
  for (int i = 0; i < 1000; ++i) {
    request_.set_body(std::to_string(i));
    ASSERT_TRUE(writer->Write(request_));
  }
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response_.count(), 1000);
  EXPECT_EQ(response_.body(), "999");
}

TEST_F(GrpcppTest, ServerStreamingWorks) {
  request_.set_body(std::string(5000, 'y'));
  request_.set_count(1000);
  const auto reader = stub_->ServerStream(&context_, request_);
  int count = 0;
  while (reader->Read(&response_)) ++count;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(count, 1000);
}

TEST_F(GrpcppTest, BidirectionalStreamingWorks) {
  const auto stream = stub_->Bidi(&context_);
  for (int i = 0; i < 100; ++i) {
    request_.set_body(std::string(20'000, 'z'));
    request_.set_count(i);
    ASSERT_TRUE(stream->Write(request_));
    ASSERT_TRUE(stream->Read(&response_));
    ASSERT_EQ(response_.count(), i);
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response_));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcppTest, TransfersStatusCodesAndUnusualMessages) {
  for (int code = 1; code <= 16; ++code) {
    grpc::ClientContext context;
    request_.set_code(code);
    request_.set_text("odd: 100 % \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \n %41 \t end");
    const grpc::Status status = stub_->Status(&context, request_, &response_);
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    EXPECT_EQ(status.error_message(), request_.text());
  }
}

TEST_F(GrpcppTest, RejectsCompressionWithAClearStatus) {
  context_.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  request_.set_body(std::string(10'000, 'x'));
  const grpc::Status status = stub_->Unary(&context_, request_, &response_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("gzip"));
}

TEST_F(GrpcppTest, DeadlineEndsTheCall) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  EXPECT_EQ(stub_->Hang(&context_, request_)->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(GrpcppTest, CancellationReachesTheServer) {
  grpc::ClientContext before_context;
  Message before;
  ASSERT_TRUE(stub_->Cancelled(&before_context, request_, &before).ok());
  const auto call = stub_->Hang(&context_, request_);
  call->WaitForInitialMetadata();
  context_.TryCancel();
  EXPECT_EQ(call->Finish().error_code(), grpc::StatusCode::CANCELLED);
  Message after;
  while (after.count() <= before.count()) {
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->Cancelled(&context, request_, &after).ok());
  }
}

// Its name makes this test the last one, because the server exits.
TEST_F(GrpcppTest, ZzDrainingLetsAStreamEnd) {
  if (std::getenv("ECHO_BEHIND_PROXY") != nullptr) return;
  const auto stream = stub_->Bidi(&context_);
  request_.set_body("one");
  ASSERT_TRUE(stream->Write(request_));
  ASSERT_TRUE(stream->Read(&response_));
  grpc::ClientContext drain;
  ASSERT_TRUE(stub_->Drain(&drain, request_, &response_).ok());
  grpc_connectivity_state state = channel_->GetState(false);
  const auto end = std::chrono::system_clock::now() + std::chrono::seconds(10);
  while (state == GRPC_CHANNEL_READY && channel_->WaitForStateChange(state, end)) state = channel_->GetState(false);
  EXPECT_NE(state, GRPC_CHANNEL_READY);
  request_.set_body("two");
  ASSERT_TRUE(stream->Write(request_));
  ASSERT_TRUE(stream->Read(&response_));
  EXPECT_EQ(response_.body(), "two");
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response_));
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
