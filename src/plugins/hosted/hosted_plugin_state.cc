// HostedPlugin: how one version passes its state to the next.
#include <utility>

#include "base/log.h"
#include "plugins/hosted/hosted_plugin.h"

namespace monitor::agent {

using plugin_wire::Type;

void HostedPlugin::take_over(std::shared_ptr<HostedPlugin> old) {
  series_.inherit(old->series_);
  if (phase_ != Phase::kRunning || loaded_.has_state == 0) return;
  if (link_->ended()) return;  // it is about to be notified
  if (old->phase_ != Phase::kRunning || old->loaded_.has_state == 0 || old->link_->ended()) {
    if (old->loaded_.has_state != 0) {
      log_warning("plugin starts without its predecessor's state, because the predecessor is not running",
                  {{"plugin", entry_.name}});
    }
    return;
  }
  handing_over_ = true;
  old_ = std::move(old);
  old_->save([this](Result<std::string> state) {
    if (!state) return handed_over("it cannot be saved: " + state.error().message());
    if (phase_ != Phase::kRunning) return handed_over("the new version is not running");
    state_done_ = [this](const Result<std::string>& restored) {
      handed_over(restored ? "" : "it cannot be restored: " + restored.error().message());
    };
    link_->send(Type::kRestore, instance_, ++number_, *state, "");
    state_timer_ = timers_.call_after(kHandOverWithin, [this] {
      state_timer_ = 0;
      host_failed("it did not restore its state within the time limit");
    });
  });
}

void HostedPlugin::save(StateDone done) {
  state_done_ = std::move(done);
  link_->send(Type::kSave, instance_, ++number_, "", "");
  state_timer_ = timers_.call_after(kHandOverWithin, [this] {
    state_timer_ = 0;
    finish_state(Error(Code::kDeadlineExceeded, "it did not answer within the time limit"));
  });
}

void HostedPlugin::finish_state(Result<std::string> result) {
  timers_.cancel_timer(std::exchange(state_timer_, 0));
  if (const StateDone done = std::exchange(state_done_, nullptr)) done(std::move(result));
}

void HostedPlugin::handed_over(const std::string& trouble) {
  handing_over_ = false;
  if (trouble.empty()) {
    log_info("plugin continues with its predecessor's state", {{"plugin", entry_.name}});
  } else {
    log_warning("plugin starts without its predecessor's state", {{"plugin", entry_.name}, {"reason", trouble}});
  }
  // This may be called by the old plugin, so it is destroyed later.
  timers_.call_after(0, [old = std::exchange(old_, nullptr)] {});
  // Without a link, the plugin has just failed, together with the tick; the failure is reported elsewhere.
  if (tick_waits_ && phase_ == Phase::kRunning && link_ != nullptr) {
    tick_waits_ = false;
    send_run(waiting_tick_);
  }
}

}  // namespace monitor::agent
