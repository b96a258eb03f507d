#include "notify/dispatcher.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "notify/alert_forwarder.h"

namespace monitor::notify {
namespace {

using query::Labels;
using rules::Alert;
using rules::AlertState;

constexpr int64_t kStart = 1'800'000'000'000;

std::shared_ptr<const Config> config_of(const std::string& text) {
  ParsedConfig parsed = parse_config(text);
  EXPECT_TRUE(parsed.faults.empty()) << parsed.faults.front().to_string();
  return std::make_shared<const Config>(std::move(parsed.config));
}

constexpr const char* kReceivers = R"(
receivers:
  - name: hook
    webhook_configs: [{url: 'http://x'}]
  - name: mail
    email_configs: [{to: a@b.c, from: d@e.f, smarthost: h}]
)";

std::string simple(
    const std::string& route =
        "{receiver: hook, group_by: [agent], group_wait: 10s, group_interval: 1m, repeat_interval: 1h}") {
  return "route: " + route + kReceivers;
}

Alert alert(std::string name, std::string agent, int64_t fired, int64_t resolved = 0) {
  Alert one;
  one.labels = Labels({{"alertname", std::move(name)}, {"agent", std::move(agent)}});
  one.state = resolved == 0 ? AlertState::kFiring : AlertState::kResolved;
  one.active_at_ms = one.fired_at_ms = fired;
  one.resolved_at_ms = resolved;
  one.group = "g";
  return one;
}

// A dispatcher with a clock of its own; what it tells is text.
class Desk {
 public:
  explicit Desk(const std::string& config) : dispatcher_(config_of(config)) {}

  Moment now() const { return {kStart + t_, t_}; }
  int64_t wall() const { return now().wall_ms; }
  void update(std::vector<Alert> alerts) { dispatcher_.update(alerts, wall(), now()); }
  // Moves the time, and returns all that was told on the way: "mail:+A/x-B/y" (+: firing, -: resolved, ~: a repeat).
  std::string pass(int64_t ms) {
    std::string told;
    for (const int64_t end = t_ + ms; t_ < end; t_ += 1000) told += due();
    return told + due();
  }
  std::string due() {
    std::string told;
    for (const Decision& one : dispatcher_.due(now())) {
      if (!one.notification) continue;
      told += (told.empty() ? "" : " ") + one.key.receiver + (one.notification->repeat ? "~" : "") + ":";
      for (const Alert& each : one.notification->alerts) {
        told += (each.state == AlertState::kFiring ? "+" : "-") + std::string(each.labels.get("alertname")) + "/" +
                std::string(each.labels.get("agent"));
      }
      ids_.push_back(one.notification->id);
    }
    return told;
  }
  Dispatcher& get() { return dispatcher_; }
  std::vector<std::string> ids_;

 private:
  Dispatcher dispatcher_;
  int64_t t_ = 0;
};

TEST(DispatcherTest, GroupsWaitsAndTellsOnce) {
  Desk desk(simple());
  desk.update({alert("A", "x", desk.wall()), alert("B", "x", desk.wall()), alert("A", "y", desk.wall())});
  EXPECT_EQ(desk.pass(9000), "");
  EXPECT_EQ(desk.pass(1000), "hook:+A/x+B/x hook:+A/y");
  desk.update({alert("A", "x", kStart), alert("B", "x", kStart), alert("A", "y", kStart)});
  EXPECT_EQ(desk.pass(600'000), "");
}

TEST(DispatcherTest, TellsChangesAtTheInterval) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart)});
  EXPECT_EQ(desk.pass(10'000), "hook:+A/x");
  desk.update({alert("A", "x", kStart), alert("B", "x", desk.wall())});
  EXPECT_EQ(desk.pass(59'000), "");
  EXPECT_EQ(desk.pass(1000), "hook:+A/x+B/x");
  desk.update({alert("A", "x", kStart, desk.wall()), alert("B", "x", kStart + 10'000)});
  EXPECT_EQ(desk.pass(60'000), "hook:+B/x-A/x");
  desk.update({alert("B", "x", kStart + 10'000, desk.wall())});
  EXPECT_EQ(desk.pass(60'000), "hook:-B/x");
  // The engine passes them again and again.
  desk.update({alert("A", "x", kStart, kStart + 70'000), alert("B", "x", kStart + 10'000, kStart + 130'000)});
  EXPECT_EQ(desk.pass(600'000), "");
}

TEST(DispatcherTest, RepeatsWhatLasts) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart)});
  EXPECT_EQ(desk.pass(10'000), "hook:+A/x");
  EXPECT_EQ(desk.pass(3'599'000), "");
  EXPECT_EQ(desk.pass(60'000), "hook~:+A/x");
  EXPECT_NE(desk.ids_[0], desk.ids_[1]);
}

TEST(DispatcherTest, DoesNotTellWhatEndsInTheWait) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart)});
  desk.pass(5000);
  desk.update({alert("A", "x", kStart, desk.wall())});
  EXPECT_EQ(desk.pass(600'000), "");
}

TEST(DispatcherTest, TellsAnOldAlertAtOnce) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart - 11'000)});
  EXPECT_EQ(desk.due(), "hook:+A/x");
}

TEST(DispatcherTest, ANewEpisodeIsTold) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart)});
  desk.pass(10'000);
  desk.update({alert("A", "x", kStart, desk.wall())});
  EXPECT_EQ(desk.pass(60'000), "hook:-A/x");
  desk.update({alert("A", "x", desk.wall())});
  EXPECT_EQ(desk.pass(60'000), "hook:+A/x");
  // What is passed late does not take it back.
  desk.update({alert("A", "x", kStart, kStart + 10'000)});
  EXPECT_EQ(desk.pass(120'000), "");
}

TEST(DispatcherTest, DoesNotTellResolvedToWhomItIsNotSent) {
  Desk desk(simple("{receiver: mail, group_by: [agent], group_wait: 10s, group_interval: 1m}"));
  desk.update({alert("A", "x", kStart)});
  EXPECT_EQ(desk.pass(10'000), "mail:+A/x");
  desk.update({alert("A", "x", kStart, desk.wall())});
  EXPECT_EQ(desk.pass(60'000), "");
  // It is new again, because the log knows of the end.
  desk.update({alert("A", "x", desk.wall())});
  EXPECT_EQ(desk.pass(60'000), "mail:+A/x");
}

TEST(DispatcherTest, ContinuesAndTellsEachReceiver) {
  Desk desk(
      simple("{receiver: hook, group_wait: 0s, routes: [{matchers: [agent=x], receiver: mail, continue: true}, "
             "{matchers: [agent=x], receiver: hook}]}"));
  desk.update({alert("A", "x", kStart), alert("A", "y", kStart)});
  EXPECT_EQ(desk.due().size(), std::string("hook:+A/y mail:+A/x hook:+A/x").size());
}

TEST(DispatcherTest, Inhibits) {
  Desk desk(
      simple() +
      "inhibit_rules: [{source_matchers: [alertname=Gone], target_matchers: ['alertname=~\".+\"'], equal: [agent]}]");
  desk.update({alert("Gone", "x", kStart), alert("Disk", "x", kStart), alert("Disk", "y", kStart)});
  EXPECT_EQ(desk.pass(10'000), "hook:+Gone/x hook:+Disk/y");
  desk.update({alert("Gone", "x", kStart, desk.wall())});
  EXPECT_EQ(desk.pass(60'000), "hook:+Disk/x-Gone/x");
}

TEST(DispatcherTest, AlertsOnBothSidesDoNotInhibitOneAnother) {
  Desk desk(simple() +
            "inhibit_rules: [{source_matchers: ['alertname=~\"A|B\"'], target_matchers: ['alertname=~\"A|B\"'], equal: "
            "[agent]}]");
  desk.update({alert("A", "x", kStart), alert("B", "x", kStart)});
  EXPECT_EQ(desk.pass(10'000), "hook:+A/x+B/x");
}

TEST(DispatcherTest, Silences) {
  Desk desk(simple());
  Silence silence;
  silence.id = "s";
  silence.matchers = *parse_matcher_list("agent=~\"x.*\"");
  silence.starts_ms = kStart;
  silence.ends_ms = kStart + 300'000;
  desk.get().set_silences({silence});
  desk.update({alert("A", "x", kStart), alert("A", "y", kStart)});
  EXPECT_EQ(desk.pass(10'000), "hook:+A/y");
  EXPECT_EQ(desk.pass(280'000), "");
  EXPECT_EQ(desk.pass(60'000), "hook:+A/x");  // the silence is over
}

TEST(DispatcherTest, MutesByTime) {
  Desk desk(simple("{receiver: hook, group_wait: 0s, group_interval: 1m, routes: [{matchers: [agent=x], "
                   "mute_time_intervals: [never]}, "
                   "{matchers: [agent=y], active_time_intervals: [never]}, {matchers: [agent=z], mute_time_intervals: "
                   "[always]}]}") +
            "time_intervals: [{name: never, time_intervals: [{years: ['1999']}]}, {name: always, time_intervals: "
            "[{months: ['1:12']}]}]");
  desk.update({alert("A", "x", kStart), alert("A", "y", kStart), alert("A", "z", kStart)});
  EXPECT_EQ(desk.pass(600'000), "hook:+A/x");
}

TEST(DispatcherTest, KnowsAfterARestart) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart), alert("B", "x", kStart)});
  EXPECT_EQ(desk.pass(10'000), "hook:+A/x+B/x");
  std::vector<Tracked> alerts;
  for (const auto& [labels, one] : desk.get().alerts()) alerts.push_back(one);
  Desk next(simple());
  next.get().restore(alerts, desk.get().log(), next.now());
  // B ended meanwhile, and only its group's evaluation has come: A must not be taken for resolved.
  next.update({alert("B", "x", kStart, kStart + 20'000)});
  EXPECT_EQ(next.pass(10'000), "hook:+A/x-B/x");
  next.update({alert("A", "x", kStart)});
  EXPECT_EQ(next.pass(600'000), "");
}

TEST(DispatcherTest, TheSameDecisionHasTheSameId) {
  Desk one(simple());
  Desk two(simple());
  for (Desk* const desk : {&one, &two}) {
    desk->update({alert("A", "x", kStart)});
    desk->pass(10'000);
  }
  EXPECT_EQ(one.ids_, two.ids_);
}

TEST(DispatcherTest, ReloadsWithoutTellingAgain) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart), alert("A", "y", kStart)});
  desk.pass(10'000);
  desk.get().configure(config_of(simple("{receiver: hook, group_by: [agent], group_wait: 10s, group_interval: 5m}")),
                       desk.now());
  EXPECT_EQ(desk.pass(3'000'000), "");
}

TEST(DispatcherTest, ForgetsWhatHasEnded) {
  Desk desk(simple());
  desk.update({alert("A", "x", kStart)});
  desk.pass(10'000);
  desk.update({alert("A", "x", kStart, desk.wall())});
  desk.pass(60'000);
  EXPECT_EQ(desk.get().alerts().size(), 1U);
  desk.pass(3'600'000);
  desk.update({});
  EXPECT_TRUE(desk.get().alerts().empty());
  EXPECT_EQ(desk.get().groups(), 0U);
  desk.get().expire_log(desk.wall() + int64_t{121} * 3'600'000);
  EXPECT_TRUE(desk.get().log().empty());
  EXPECT_EQ(desk.get().take_changes(true).expired.size(), 1U);
}

TEST(DispatcherTest, PendingNotifiesNobody) {
  Desk desk(simple());
  Alert pending = alert("A", "x", 0);
  pending.state = AlertState::kPending;
  pending.active_at_ms = kStart;
  desk.update({pending});
  EXPECT_EQ(desk.pass(60'000), "");
  EXPECT_EQ(desk.get().pending().size(), 1U);
  desk.update({alert("A", "x", desk.wall())});
  EXPECT_TRUE(desk.get().pending().empty());
  EXPECT_EQ(desk.pass(10'000), "hook:+A/x");
}

TEST(ForwarderTest, TellsAlertmanagerEveryAlertAgainAndAgain) {
  const auto config = config_of(
      "route: {receiver: am}\nreceivers: [{name: am, alertmanager_configs: [{url: 'http://x', resend_delay: 1m}]}]");
  Dispatcher dispatcher(config);
  AlertForwarder forwarder;
  int64_t t = 0;
  const auto told = [&](std::vector<Alert> alerts) {
    const Moment now{kStart + t, t};
    dispatcher.update(alerts, now.wall_ms, now);
    dispatcher.due(now);
    std::string text;
    for (const Notification& one : forwarder.due(*config, dispatcher.alerts(), now.wall_ms, now)) {
      text += one.repeat ? "~" : "";
      for (const Alert& each : one.alerts) text += each.state == AlertState::kFiring ? "+" : "-";
    }
    return text;
  };
  EXPECT_EQ(told({alert("A", "x", kStart)}), "+");
  t = 30'000;
  EXPECT_EQ(told({alert("A", "x", kStart), alert("B", "x", kStart)}), "+");
  t = 60'000;
  EXPECT_EQ(told({}), "~+");
  t = 100'000;
  EXPECT_EQ(told({alert("A", "x", kStart, kStart + t)}), "-~+");
  t = 160'000;
  EXPECT_EQ(told({}), "~+-");
  t = 100'000 + 15 * 60'000 + 1000;
  EXPECT_EQ(told({}), "~+");
}

// A receiver that believes what it is told, and a simple model of what it must know: after enough time without a
// change, it believes exactly the alerts that are firing and neither silenced nor inhibited, and was told nothing
// twice.
// Random alerts, a dispatcher that is sometimes replaced, and what its receiver believes.
class Model {
 public:
  explicit Model(uint64_t seed) : seed_(seed), random_(seed) {}

  // One alert begins or ends, and up to 50 s pass.
  void step() {
    change_an_alert();
    std::vector<Alert> passed;
    for (const auto& [labels, one] : truth_) {
      if (one.state == AlertState::kFiring || kStart + t_ - one.resolved_at_ms < 900'000) passed.push_back(one);
    }
    desk_.get().update(passed, kStart + t_, now());
    if (random_.below(10) == 0) replace_process();
    listen_for(static_cast<int64_t>(random_.below(50)) * 1000);
  }

  void listen_for(int64_t ms) {
    for (const int64_t end = t_ + ms; t_ < end; t_ += 1000) listen();
  }

  void check() const {
    for (const auto& [labels, one] : truth_) {
      const auto known = believed_.find(labels);
      const bool told = known != believed_.end() && known->second == AlertState::kFiring;
      // A receiver that heard of an alert before it was inhibited still believes it.
      if (inhibited(labels)) continue;
      if (one.state == AlertState::kFiring) {
        EXPECT_TRUE(told) << labels.to_string() << ", seed " << seed_;
      } else if (labels.get("alertname") != "C") {
        EXPECT_FALSE(told) << labels.to_string() << ", seed " << seed_;
      }
    }
  }

 private:
  static std::string config() {
    return simple("{receiver: hook, group_by: [agent], group_wait: 10s, group_interval: 30s, repeat_interval: 100d}") +
           "inhibit_rules: [{source_matchers: [alertname=A], target_matchers: [alertname=C], equal: [agent]}]";
  }
  Moment now() const { return {kStart + t_, t_}; }

  void change_an_alert() {
    const std::string name(1, static_cast<char>('A' + random_.below(3)));
    const std::string agent(1, static_cast<char>('x' + random_.below(2)));
    Alert next = alert(name, agent, kStart + t_);
    const auto found = truth_.find(next.labels);
    if (found != truth_.end() && found->second.state == AlertState::kFiring) {
      found->second.state = AlertState::kResolved;
      found->second.resolved_at_ms = kStart + t_;
    } else {
      truth_.insert_or_assign(next.labels, next);
    }
  }

  void replace_process() {
    std::vector<Tracked> alerts;
    for (const auto& [labels, one] : desk_.get().alerts()) alerts.push_back(one);
    auto log = desk_.get().log();
    Dispatcher fresh(config_of(config()));
    fresh.restore(std::move(alerts), std::move(log), now());
    desk_.get() = std::move(fresh);
  }

  void listen() {
    for (const Decision& one : desk_.get().due(now())) {
      ASSERT_TRUE(one.notification);
      ASSERT_FALSE(one.notification->repeat) << seed_;
      ASSERT_TRUE(ids_.insert(one.notification->id).second) << seed_;
      bool news = false;
      for (const Alert& each : one.notification->alerts) {
        const auto known = believed_.find(each.labels);
        news = news || heard_.insert({each.labels, each.fired_at_ms, each.state}).second;
        // An alert that nobody heard of does not end.
        if (each.state == AlertState::kResolved && known == believed_.end() && one.notification->alerts.size() == 1) {
          FAIL() << "resolved without having been told, seed " << seed_;
        }
        believed_[each.labels] = each.state;
      }
      ASSERT_TRUE(news) << "told nothing new, seed " << seed_ << ", at " << t_;
    }
  }

  bool inhibited(const Labels& labels) const {
    const auto inhibitor = truth_.find(Labels({{"alertname", "A"}, {"agent", std::string(labels.get("agent"))}}));
    return labels.get("alertname") == "C" && inhibitor != truth_.end() &&
           inhibitor->second.state == AlertState::kFiring;
  }

  const uint64_t seed_;
  SeededRandom random_;
  Desk desk_{config()};
  std::map<Labels, Alert> truth_;
  std::map<Labels, AlertState> believed_;
  std::set<std::tuple<Labels, int64_t, AlertState>> heard_;
  std::set<std::string> ids_;
  int64_t t_ = 0;
};

TEST(DispatcherModelTest, ReceiversKnowTheTruthAndHearNothingTwice) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Model model(seed);
    for (int i = 0; i < 120; ++i) model.step();
    model.listen_for(120'000);
    model.check();
  }
}

TEST(Dispatcher, AlertsOfGroupsThatNoLongerExistEnd) {
  Desk desk(simple());
  Alert kept = alert("B", "x", desk.wall());
  kept.group = "kept";
  desk.update({alert("A", "x", desk.wall()), kept});
  EXPECT_EQ(desk.pass(11'000), "hook:+A/x+B/x");
  const auto ended = desk.get().end_other_groups({"kept", "other"}, desk.wall(), desk.now());
  EXPECT_EQ(ended, std::set<std::string>{"g"});
  EXPECT_EQ(desk.pass(61'000), "hook:+B/x-A/x");
  EXPECT_TRUE(desk.get().end_other_groups({"kept"}, desk.wall(), desk.now()).empty()) << "once";
}

TEST(Dispatcher, AnAlertOfTwoGroupsFiresWhileOneOfThemSaysSo) {
  Desk desk(simple());
  const int64_t begun = desk.wall();
  const auto of = [&](const char* group, int64_t fired, int64_t resolved = 0) {
    Alert one = alert("A", "x", fired, resolved);
    one.group = group;
    return one;
  };
  desk.update({of("first", begun)});
  EXPECT_EQ(desk.pass(11'000), "hook:+A/x");
  desk.update({of("second", desk.wall())});
  EXPECT_EQ(desk.pass(120'000), "") << "it goes on";
  desk.update({of("second", begun + 11'000, desk.wall())});
  desk.update({of("first", begun)});
  EXPECT_EQ(desk.pass(120'000), "") << "one of them says that it goes on";
  desk.update({of("second", desk.wall())});
  desk.update({of("first", begun, desk.wall())});
  EXPECT_EQ(desk.pass(120'000), "");
  desk.get().end_missing("second", {.alerts = {}, .evaluated_ms = desk.wall()}, desk.now());
  EXPECT_EQ(desk.pass(61'000), "hook:-A/x") << "both have ended";
}

TEST(Dispatcher, AnAlertGoesOnWhenItsRuleHasMoved) {
  Desk desk(simple());
  desk.update({alert("A", "x", desk.wall())});
  EXPECT_EQ(desk.pass(11'000), "hook:+A/x");
  // The new group has begun with older data than the old one has seen.
  Alert moved = alert("A", "x", desk.wall() - 30'000);
  moved.group = "renamed";
  desk.update({moved});
  EXPECT_EQ(desk.get().end_other_groups({"renamed"}, desk.wall(), desk.now()).count("renamed"), 0U);
  EXPECT_EQ(desk.pass(120'000), "");
  moved.state = AlertState::kResolved;
  moved.resolved_at_ms = desk.wall();
  desk.update({moved});
  EXPECT_EQ(desk.pass(61'000), "hook:-A/x");
}

}  // namespace
}  // namespace monitor::notify
