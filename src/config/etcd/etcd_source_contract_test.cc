#include "base/testing/fake_clock.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/testing/fake_etcd.h"
#include "config/testing/source_contract.h"

namespace monitor::config {
namespace {

class FakeEtcdHarness final : public SourceHarness {
 public:
  ConfigSource& source() override { return source_; }
  void put(const std::string& key, const std::string& text) override { etcd_.put(key, text); }
  void remove(const std::string& key) override { etcd_.remove(key); }
  bool until(const std::function<bool()>& condition) override {
    for (int i = 0; i < 5000 && !condition(); ++i) timers_.advance(kNanosPerMilli);
    return condition();
  }

 private:
  FakeTimers timers_;
  SeededRandom random_{1};
  FakeEtcd etcd_{timers_};
  EtcdClient client_{timers_, etcd_.connector(), {}};
  EtcdSource source_{timers_, random_, client_};
};

INSTANTIATE_TEST_SUITE_P(FakeEtcd, SourceContract,
                         ::testing::Values(Backend{"fake etcd", [] { return std::make_unique<FakeEtcdHarness>(); }}));

}  // namespace
}  // namespace monitor::config
