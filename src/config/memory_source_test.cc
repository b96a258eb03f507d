#include "config/testing/memory_source.h"

#include "config/testing/source_contract.h"

namespace monitor::config {
namespace {

class MemoryHarness final : public SourceHarness {
 public:
  ConfigSource& source() override { return source_; }
  void put(const std::string& key, const std::string& text) override { source_.put(key, text); }
  void remove(const std::string& key) override { source_.remove(key); }
  bool until(const std::function<bool()>& condition) override { return condition(); }

 private:
  MemorySource source_;
};

INSTANTIATE_TEST_SUITE_P(Memory, SourceContract,
                         ::testing::Values(Backend{"memory", [] { return std::make_unique<MemoryHarness>(); }}));

}  // namespace
}  // namespace monitor::config
