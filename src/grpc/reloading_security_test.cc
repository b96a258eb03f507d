#include "grpc/reloading_security.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/fake_clock.h"
#include "grpc/testing/certificates.h"
#include "grpc/tls.h"

namespace monitor::grpc {
namespace {

using ::testing::HasSubstr;

// Counts the connections that were created with it.
struct CountingContext final : SecurityContext {
  std::unique_ptr<SecureTransform> new_connection() const override {
    ++connections;
    return nullptr;
  }
  mutable int connections = 0;
};

class ReloadingTest : public testing::Test {
 protected:
  std::shared_ptr<ReloadingSecurity> make() {
    auto made = ReloadingSecurity::create({.what = "of the test",
                                           .files = {"cert", "key"},
                                           .load = [this]() -> Result<std::shared_ptr<const SecurityContext>> {
                                             ++loads_;
                                             if (!error_.empty()) return Error(Code::kInvalidArgument, error_);
                                             last_ = std::make_shared<CountingContext>();
                                             return std::shared_ptr<const SecurityContext>(last_);
                                           },
                                           .certificate = "",
                                           .stamps = [this](const auto&) { return stamps_; },
                                           .reloaded = [this] { ++told_; }},
                                          timers_.clock());
    EXPECT_TRUE(made.ok());
    return made.ok() ? *made : nullptr;
  }

  FakeTimers timers_;
  std::string stamps_ = "1";
  std::string error_;
  int loads_ = 0;
  int told_ = 0;
  std::shared_ptr<CountingContext> last_;
};

TEST_F(ReloadingTest, NewConnectionsUseFilesThatHaveChanged) {
  const auto security = make();
  const auto first = last_;
  security->look();
  (void)security->new_connection();
  EXPECT_EQ(loads_, 1) << "nothing has changed";
  EXPECT_EQ(first->connections, 1);
  stamps_ = "2";
  security->look();
  EXPECT_EQ(loads_, 1) << "a file that has just changed may be half written";
  EXPECT_EQ(told_, 0);
  security->look();
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(told_, 1);
  (void)security->new_connection();
  EXPECT_EQ(first->connections, 1);
  EXPECT_EQ(last_->connections, 1);
  security->look();
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(security->reloads(), 1U);
}

TEST_F(ReloadingTest, WaitsWhileFilesKeepChanging) {
  const auto security = make();
  for (int i = 0; i < 10; ++i) {
    stamps_ += "+";
    security->look();
  }
  EXPECT_EQ(loads_, 1);
  security->look();
  EXPECT_EQ(loads_, 2);
}

TEST_F(ReloadingTest, FilesThatCannotBeLoadedLeaveTheOldOnesInUseAndAreTriedAgain) {
  const auto security = make();
  const auto first = last_;
  stamps_ = "2";
  error_ = "the key does not match the certificate";
  for (int i = 0; i < 5; ++i) security->look();
  EXPECT_EQ(loads_, 5) << "each look after the first tries again";
  (void)security->new_connection();
  EXPECT_EQ(first->connections, 1);
  EXPECT_FALSE(security->reload().ok());
  error_.clear();
  security->look();
  (void)security->new_connection();
  EXPECT_EQ(last_->connections, 1) << "without another change of the files";
  EXPECT_EQ(security->reloads(), 1U);
}

TEST_F(ReloadingTest, FilesThatCannotBeLoadedAtTheStartAreAnError) {
  error_ = "no such file";
  const auto made = ReloadingSecurity::create(
      {.what = "",
       .files = {},
       .load = [this]() -> Result<std::shared_ptr<const SecurityContext>> { return Error(Code::kNotFound, error_); }},
      timers_.clock());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().message(), "no such file");
}

TEST_F(ReloadingTest, TheRefresherLooksAtEachInterval) {
  SecurityRefresher refresher(timers_, 2 * kNanosPerSecond);
  refresher.add(make());
  stamps_ = "2";
  timers_.advance(3 * kNanosPerSecond);
  EXPECT_EQ(refresher.reloads(), 0U);
  timers_.advance(2 * kNanosPerSecond);
  EXPECT_EQ(refresher.reloads(), 1U);
  refresher.reload();
  EXPECT_EQ(refresher.reloads(), 2U);
}

TEST(CertificateValidity, WarnsTwoWeeksBeforeOrInTheLastFifthOfAShortLife) {
  constexpr int64_t kDay = 86'400;
  const Validity year{0, 365 * kDay};
  EXPECT_FALSE(expires_soon(year, 350 * kDay));
  EXPECT_TRUE(expires_soon(year, 352 * kDay));
  EXPECT_TRUE(expires_soon(year, 400 * kDay));
  const Validity day{0, kDay};
  EXPECT_FALSE(expires_soon(day, kDay / 2));
  EXPECT_TRUE(expires_soon(day, kDay * 5 / 6));
  EXPECT_FALSE(expires_soon({}, kDay)) << "unknown";
}

class FilesTest : public testing::Test {
 protected:
  static void replace(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, to + ".new", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(to + ".new", to);
  }
  static std::string contents(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  TestCertificates certificates_;
  SystemClock clock_;
};

TEST_F(FilesTest, ReadsTheValidityOfTheFirstCertificateToExpire) {
  const auto validity = certificate_validity(certificates_.server_certificate());
  ASSERT_TRUE(validity.ok()) << validity.error().to_string();
  const int64_t now = clock_.wall_ns() / kNanosPerSecond;
  EXPECT_NEAR(static_cast<double>(validity->not_after - now), 86'400, 60);
  EXPECT_NEAR(static_cast<double>(now - validity->not_before), 3'600, 60);
  EXPECT_THAT(certificate_validity(certificates_.server_key()).error().message(), HasSubstr("no certificate"));
  EXPECT_THAT(certificate_validity("/nowhere/x.pem").error().message(), HasSubstr("/nowhere/x.pem"));
}

TEST_F(FilesTest, NoticesRenamesSwappedLinksAndWritesInPlace) {
  namespace fs = std::filesystem;
  const std::string folder = certificates_.folder() + "/k8s";
  fs::create_directories(folder + "/one");
  fs::create_directories(folder + "/two");
  fs::copy_file(certificates_.server_certificate(), folder + "/one/cert");
  fs::copy_file(certificates_.server_certificate(), folder + "/two/cert");
  fs::create_directory_symlink("one", folder + "/data");
  fs::create_symlink("data/cert", folder + "/cert");
  const std::vector<std::string> files = {folder + "/cert"};
  const std::string first = file_stamps(files);
  EXPECT_EQ(file_stamps(files), first);
  fs::create_directory_symlink("two", folder + "/data.new");
  fs::rename(folder + "/data.new", folder + "/data");
  const std::string swapped = file_stamps(files);
  EXPECT_NE(swapped, first);
  write(folder + "/two/cert", "half");
  const std::string written = file_stamps(files);
  EXPECT_NE(written, swapped);
  replace(certificates_.ca(), folder + "/two/cert");
  EXPECT_NE(file_stamps(files), written);
  fs::remove(folder + "/two/cert");
  EXPECT_EQ(file_stamps(files), "-;");
}

TEST_F(FilesTest, AHalfWrittenKeyOrOneOfAnotherCertificateIsNotUsed) {
  const std::string certificate = certificates_.server_certificate();
  const std::string key = certificates_.server_key();
  auto security = ReloadingSecurity::create(
      {.what = "of the test",
       .files = {certificate, key},
       .load = [=] { return TlsServerContext::load({.certificate_file = certificate, .key_file = key}); },
       .certificate = certificate},
      clock_);
  ASSERT_TRUE(security.ok()) << security.error().to_string();
  const std::string whole = contents(key);
  write(key, whole.substr(0, whole.size() / 2));
  for (int i = 0; i < 3; ++i) (*security)->look();
  EXPECT_EQ((*security)->reloads(), 0U);
  EXPECT_NE((*security)->new_connection(), nullptr);
  replace(certificates_.client_key(), key);
  for (int i = 0; i < 3; ++i) (*security)->look();
  EXPECT_EQ((*security)->reloads(), 0U);
  replace(certificates_.client_certificate(), certificate);
  for (int i = 0; i < 3; ++i) (*security)->look();
  EXPECT_EQ((*security)->reloads(), 1U) << "now they belong together";
}

}  // namespace
}  // namespace monitor::grpc
