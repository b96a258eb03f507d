// RuleRunner: runs rules: takes their files, evaluates them on the data's time, and passes alerts on. It has a thread
// of its own for all of this.
//
// Files come from paths, which it looks at itself, and from other origins, which take_texts() brings. Those in force
// are stored with the state. So a process that starts continues with them at once, also while an origin does not
// answer.
//
// Of several instances, each evaluates, and the one for which `may_notify` is true passes alerts to the sink. An
// instance that becomes the one passes all alerts as they are.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "query/series.h"
#include "rules/alert.h"
#include "rules/engine.h"
#include "rules/rule_book.h"
#include "rules/rule_folder.h"
#include "rules/rule_status.h"
#include "rules/sqlite_store.h"
#include "telemetry/registry.h"

namespace monitor::rules {

struct RunnerOptions {
  EngineOptions engine = {};
  SqliteStoreOptions store = {};
  std::vector<std::string> paths = {};  // of files, or of folders with files
  // Opens the data for the runner's thread; asked again after an error of the data.
  std::function<Result<std::unique_ptr<query::SeriesSource>>()> open_data;
  // Whether this instance may notify. Asked on the runner's thread, several times a second. Nothing: it may.
  std::function<bool()> may_notify = {};
  // Called on the runner's thread when that changes, and once at the start; before the sink gets the first alerts, and
  // after it got the last ones.
  std::function<void(bool notifies)> on_notifies = {};
  // Whether each origin has delivered its files since the start, so that a file that is not there has been removed.
  // Asked on the runner's thread. Nothing: yes.
  std::function<bool()> complete = {};
  int64_t turn_ns = 200 * kNanosPerMilli;
  int64_t look_ns = kNanosPerSecond;         // between looks at the paths
  int64_t expire_ns = 60 * kNanosPerSecond;  // between looks at the store's size
};

class RuleRunner final : public RuleReporter {
 public:
  // The name of the origin of `paths`.
  static constexpr const char* kPaths = "files";

  // Opens the state, if there are rules or have been, and reads the paths. The clock, the disk and the registry must
  // outlive it. kInvalidArgument: a file has faults, and no earlier version of it is known; the text has all of them.
  // kAborted: another process has the state.
  static Result<std::unique_ptr<RuleRunner>> open(RunnerOptions options, const Clock& clock, Disk& disk,
                                                  telemetry::Registry& registry);
  ~RuleRunner() override;
  RuleRunner(const RuleRunner&) = delete;
  RuleRunner& operator=(const RuleRunner&) = delete;

  // Call before start(); the sink must outlive the object. nullptr: nobody is told.
  void set_sink(AlertSink* sink) { gate_.target = sink; }
  // Call before start(): EngineOptions::external_url.
  void set_external_url(const std::string& url);
  void start();
  // Ends the thread after the evaluation that is running.
  void stop();

  // Any thread, from here on. The newest progress counts.
  void take_progress(Progress progress);
  // Everything that an origin has now. Names must be unique among all origins.
  void take_texts(const std::string& origin, RuleTexts texts);
  // Why an origin cannot be read at the moment; empty: it can. Its rules stay in force.
  void note_origin(const std::string& origin, const std::string& trouble);

  std::vector<GroupStatus> groups() const override;
  std::vector<GroupFigures> figures() const override;
  RuleFileList files() const override;
  // What is wrong with files and origins, for people.
  std::vector<std::string> troubles() const override;
  bool notifies() const { return notifies_; }
  // Whether a version of a file is in force.
  bool has_rules() const { return has_rules_; }
  // Whether there are rules or have been: their state is there.
  bool has_state() const;

 private:
  struct Metrics;
  // The data, opened when it is needed.
  class Data final : public query::SeriesSource {
   public:
    explicit Data(const RunnerOptions& options) : options_(options) {}
    Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                    int64_t to_ms) override;
    Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                        std::span<const query::Matcher> matchers, int64_t from_ms,
                                                        int64_t to_ms) override;

   private:
    using Ask = std::function<Result<std::vector<query::StoredSeries>>(query::SeriesSource& source)>;
    Result<std::vector<query::StoredSeries>> ask(const Ask& question);
    const RunnerOptions& options_;
    std::unique_ptr<query::SeriesSource> source_;
  };
  struct Gate final : public AlertSink {
    void update(std::span<const Alert> alerts, int64_t evaluated_at_ms) override;
    void update_group(const std::string& group, std::span<const Alert> alerts, int64_t evaluated_at_ms) override;
    void update_groups(const std::set<std::string>& groups, int64_t evaluated_at_ms) override;
    bool open() const;
    AlertSink* target = nullptr;
    std::function<bool()> may_pass;
    bool passes = false;
  };
  struct Inbox {
    std::map<std::string, RuleTexts> texts;  // by origin
    std::optional<Progress> progress;
  };

  RuleRunner(RunnerOptions options, const Clock& clock, Disk& disk, telemetry::Registry& registry);
  Status begin();
  Status open_state();
  void run();
  void turn(Inbox inbox);
  void look_at_paths();
  void take(const std::string& origin, const RuleTexts& texts);
  void log_change(const RuleBook::Change& change) const;
  void publish_files();
  void apply_files();
  void look_at_lease();
  void tell_groups();
  void expire();
  void note_store(const Status& status);

  RunnerOptions options_;
  const Clock& clock_;
  telemetry::Registry& registry_;
  const std::unique_ptr<Metrics> metrics_;
  // Of the runner's thread, after start().
  RuleFolder folder_;
  RuleBook book_;
  Data data_;
  Gate gate_;
  std::unique_ptr<SqliteStore> store_;
  bool unapplied_ = false;  // the engine has not got the book's groups
  Progress progress_;
  bool lease_known_ = false;
  bool tell_all_ = false;     // the sink has heard nothing yet
  bool tell_groups_ = false;  // the sink has not heard which groups there are
  int64_t looked_ns_ = 0;
  int64_t expired_ns_ = 0;
  std::string store_trouble_;
  std::atomic<bool> notifies_ = false;
  std::atomic<bool> has_rules_ = false;

  mutable std::mutex mutex_;  // guards what follows; engine_ changes once, from nullptr
  std::condition_variable changed_;
  Inbox inbox_;
  std::unique_ptr<Engine> engine_;
  RuleFileList files_ = std::make_shared<const std::vector<RuleFileStatus>>();
  std::map<std::string, std::string> file_troubles_;    // by file
  std::map<std::string, std::string> origin_troubles_;  // by origin
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace monitor::rules
