#include "ui/top/run.h"

#include <algorithm>
#include <utility>

#include "consume/consumer.h"
#include "ui/top/series_past.h"
#include "ui/top/settings.h"
#include "ui/top/top_view.h"

namespace monitor::analysis::top {

namespace {

// Upper bound of the delay between a key and its effect.
constexpr int64_t kPoll = 60 * kNanosPerMilli;
constexpr int64_t kDrawEvery = 500 * kNanosPerMilli;

// The log's fleet, with the past of its series.
class FleetLog final : public View {
 public:
  const Fleet& fleet() const { return fleet_; }
  const SeriesPast& past() const { return past_; }
  const std::string& trouble() const { return trouble_; }
  uint64_t batches() const { return batches_; }

  void apply(const metriclog::Record& record, const metrics::Batch& batch) override {
    ++batches_;
    if (!fleet_.apply(record, batch)) return;
    if (const LiveAgent* const agent = fleet_.find(batch.agent_id); agent != nullptr) past_.note(*agent);
  }
  void on_trouble(const std::string& text) override { trouble_ = text; }
  void on_recovered() override { trouble_.clear(); }

 private:
  Fleet fleet_;
  SeriesPast past_;
  std::string trouble_;
  uint64_t batches_ = 0;
};

// When the log stored the newest record of any agent.
int64_t newest(const Fleet& fleet) {
  int64_t found = 0;
  for (const auto& [name, agent] : fleet.agents()) found = std::max(found, agent.seen_ns);
  return found;
}

class Loop {
 public:
  Loop(const TopParts& parts, Screen& screen)
      : parts_(parts), screen_(screen), consumer_(parts.reader, {&log_}, parts.registry), view_(make_view()) {
    if (!trouble_with_settings_.empty()) view_.set_message(trouble_with_settings_);
  }

  Status run() {
    while (!parts_.stop && !ended_) {
      const uint64_t before = log_.batches();
      if (const auto went_on = consumer_.step(kPoll); !went_on) return went_on.error();
      caught_up_ = caught_up_ || log_.batches() == before;
      const bool due = parts_.clock.mono_ns() - drawn_ns_ >= kDrawEvery;
      if (take_events() || due) draw();
    }
    return {};
  }

 private:
  TopView make_view() {
    if (parts_.settings_path.empty()) return TopView(screen_.utf8());
    auto settings = load_settings(parts_.disk, parts_.settings_path);
    if (settings) return TopView(screen_.utf8(), std::move(*settings));
    trouble_with_settings_ = "standard columns are shown: " + settings.error().message();
    return TopView(screen_.utf8());
  }

  // Returns whether anything has happened.
  bool take_events() {
    bool any = false;
    while (!ended_) {
      const Event event = screen_.next_event();
      if (event.kind == Event::Kind::kNone) return any;
      any = true;
      const bool was_paused = view_.paused();
      ended_ = event.kind == Event::Kind::kGone || (event.kind == Event::Kind::kKey && !view_.key(event.key));
      if (event.kind == Event::Kind::kMouse) view_.mouse(event.mouse);
      if (view_.paused() && !was_paused) {
        held_ = log_.fleet();
        held_ns_ = parts_.clock.wall_ns();
      }
      save_settings_if_changed();
    }
    return any;
  }

  void save_settings_if_changed() {
    const auto settings = view_.take_changed_settings();
    if (!settings || parts_.settings_path.empty()) return;
    if (const Status saved = save_settings(parts_.disk, parts_.settings_path, *settings); !saved) {
      view_.set_message("the columns are not saved: " + saved.error().message());
    }
  }

  void draw() {
    if (ended_) return;
    const Servers servers = parts_.servers();
    view_.set_servers(servers);
    if (auto alerts = parts_.alerts()) view_.set_alerts(std::move(*alerts));
    if (auto shares = parts_.unusual()) view_.set_unusual(std::move(*shares));
    // Until it has read what was there at the start, agents are judged by the time of the newest record: none of them
    // is late because of us.
    const int64_t newest_ns = newest(log_.fleet());
    const int64_t now_ns = caught_up_ || newest_ns == 0 ? parts_.clock.wall_ns() : newest_ns;
    const std::string behind = caught_up_ ? silence_of(servers, newest_ns, now_ns) : "reading the log";
    view_.set_trouble(log_.trouble().empty() ? behind : log_.trouble());
    const bool paused = view_.paused();
    screen_.show(view_.draw(paused ? held_ : log_.fleet(), log_.past(), paused ? held_ns_ : now_ns, screen_.size()));
    drawn_ns_ = parts_.clock.mono_ns();
  }

  const TopParts& parts_;
  Screen& screen_;
  FleetLog log_;
  Consumer consumer_;
  std::string trouble_with_settings_;
  TopView view_;
  Fleet held_;  // what is shown while paused
  int64_t held_ns_ = 0;
  int64_t drawn_ns_ = 0;
  bool caught_up_ = false;  // with the end of the log, as it was at the start
  bool ended_ = false;
};

}  // namespace

Status run(const TopParts& parts, Screen& screen) { return Loop(parts, screen).run(); }

}  // namespace monitor::analysis::top
