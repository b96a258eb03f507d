#include "bin/analysis/config_stores.h"

#include <map>
#include <optional>

#include "base/event_loop.h"
#include "config/etcd/etcd_store.h"
#include "config/file/file_store.h"

namespace monitor {

namespace {

class OwnedEtcdStore final : public config::ConfigStore {
 public:
  static Result<std::unique_ptr<config::ConfigStore>> open(const EtcdFlags& flags,
                                                           config::BlockingEtcdOptions options) {
    std::unique_ptr<OwnedEtcdStore> store(new OwnedEtcdStore());
    auto connection = connect_etcd(store->loop_, flags);
    if (!connection) return connection.error();
    store->connection_ = std::move(*connection);
    EventLoop& loop = store->loop_;
    store->store_ =
        std::make_unique<config::EtcdStore>(loop, *store->connection_->client, [&loop] { loop.run_once(-1); }, options);
    return std::unique_ptr<config::ConfigStore>(std::move(store));
  }
  Result<std::optional<config::Stored>> get(const std::string& key) override { return store_->get(key); }
  Result<std::map<std::string, config::Stored>> list(const std::string& prefix) override {
    return store_->list(prefix);
  }
  Result<int64_t> update(const std::string& key, const Change& change) override { return store_->update(key, change); }
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) override {
    return store_->put_for(key, value, ns);
  }
  Result<int64_t> update_noted(const std::string& key, const config::ChangeNote& note, const Change& change) override {
    return store_->update_noted(key, note, change);
  }
  Result<int64_t> put_noted_for(const std::string& key, const config::ChangeNote& note, const std::string& value,
                                int64_t ns) override {
    return store_->put_noted_for(key, note, value, ns);
  }
  Result<std::vector<config::DocumentChange>> recent_changes(size_t most) override {
    return store_->recent_changes(most);
  }
  Result<std::optional<config::DocumentHistory>> history(const std::string& key, size_t most) override {
    return store_->history(key, most);
  }
  std::string describe(const std::string& key) const override { return store_->describe(key); }

 private:
  OwnedEtcdStore() : loop_(clock_) {}
  SystemClock clock_;
  EventLoop loop_;
  std::unique_ptr<EtcdConnection> connection_;
  std::unique_ptr<config::EtcdStore> store_;
};

}  // namespace

Result<std::unique_ptr<config::ConfigStore>> open_config_store(const EtcdFlags& flags, const std::string& dir,
                                                               Disk& disk, config::BlockingEtcdOptions options) {
  if (dir.empty()) return OwnedEtcdStore::open(flags, options);
  return std::unique_ptr<config::ConfigStore>(std::make_unique<config::FileStore>(disk, dir));
}

void add_configuration_options(CLI::App& app, EtcdFlags& flags, std::string& dir) {
  auto* const folder = app.add_option("--dir,--config-dir", dir,
                                      "Folder with the configuration files (with --data alone: <data>/monitor)")
                           ->type_name("DIR");
  add_etcd_options(app, flags);
  folder->excludes(app.get_option("--etcd"))->excludes(app.get_option("--etcd-host"));
}

}  // namespace monitor
