// Runs the contract tests of configuration sources on a real etcd. MONITOR_TEST_ETCD holds its address;
// etcd_contract_test.py starts it.
#include <cstdio>
#include <cstdlib>

#include "config/etcd/connector.h"
#include "config/etcd/etcd_source.h"
#include "config/testing/source_contract.h"
#include "grpc/resolver.h"

namespace monitor::config {
namespace {

class EtcdHarness final : public SourceHarness {
 public:
  EtcdHarness() {
    const char* const address = std::getenv("MONITOR_TEST_ETCD");  // NOLINT(concurrency-mt-unsafe): before any thread
    const auto target = parse_host_port(address == nullptr ? "" : address, 2379);
    if (!target) std::abort();
    address_ = address;
    EtcdAddress etcd;
    etcd.endpoints = {*target};
    client_ =
        std::make_unique<EtcdClient>(loop_, *make_etcd_connector(loop_, resolver_, random_, etcd), EtcdCredentials{});
    source_ = std::make_unique<EtcdSource>(loop_, random_, *client_);
    etcdctl("del --prefix /", "");
  }
  ConfigSource& source() override { return *source_; }
  void put(const std::string& key, const std::string& text) override { etcdctl("put " + key, text); }
  void remove(const std::string& key) override { etcdctl("del " + key, ""); }
  bool until(const std::function<bool()>& condition) override {
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (!condition() && clock_.mono_ns() < end) loop_.run_once(50 * kNanosPerMilli);
    return condition();
  }

 private:
  // Uses etcdctl, as other clients do. `put` reads the whole value from standard input.
  void etcdctl(const std::string& command, const std::string& input) {
    const std::string line = "ETCDCTL_API=3 etcdctl --endpoints=" + address_ + " " + command + " > /dev/null";
    FILE* const pipe = popen(line.c_str(), "w");  // NOLINT(cert-env33-c): the test controls the command
    ASSERT_NE(pipe, nullptr);
    EXPECT_EQ(fwrite(input.data(), 1, input.size(), pipe), input.size());
    EXPECT_EQ(pclose(pipe), 0) << line;
  }

  std::string address_;
  SystemClock clock_;
  EventLoop loop_{clock_};
  SystemRandom random_;
  grpc::ThreadResolver resolver_{loop_};
  std::unique_ptr<EtcdClient> client_;
  std::unique_ptr<EtcdSource> source_;
};

INSTANTIATE_TEST_SUITE_P(Etcd, SourceContract,
                         ::testing::Values(Backend{"etcd", [] { return std::make_unique<EtcdHarness>(); }}));

}  // namespace
}  // namespace monitor::config
