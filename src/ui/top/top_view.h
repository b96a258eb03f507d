// The content of `monitor-analysis top` as lines of text, and its reaction to keys and the mouse. Needs no terminal, so
// tests can check it. Builds only visible lines. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ui/top/cells.h"
#include "ui/top/host_view.h"
#include "ui/top/keys.h"
#include "ui/top/lists.h"
#include "ui/top/prompt.h"
#include "ui/top/scene.h"
#include "ui/top/settings.h"
#include "ui/top/table_view.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

class TopView {
 public:
  explicit TopView(bool utf8, Settings settings = {}) : utf8_(utf8), settings_(std::move(settings)) {}

  // Returns false if the user quits.
  bool key(int key);
  void mouse(const Mouse& mouse);
  bool paused() const { return paused_; }
  void set_trouble(const std::string& text) { trouble_ = text; }
  void set_servers(const Servers& servers) { servers_ = servers; }
  void set_alerts(AlertList alerts) { alerts_ = std::move(alerts); }
  void set_unusual(UnusualShares shares) { unusual_ = std::move(shares); }
  // Shown until the next key.
  void set_message(const std::string& text) { message_ = text; }
  // The settings, if the user has changed them since the last call.
  std::optional<Settings> take_changed_settings();
  // Exactly `size.rows` lines, none wider than `size.columns`.
  std::vector<Line> draw(const Fleet& fleet, const SeriesPast& past, int64_t now_ns, Size size);

 private:
  enum class Mode { kTable, kHost, kAlerts, kColumns, kHelp };
  void enter(Mode mode);
  void back();
  void open_host(const std::string& name);
  bool mode_key(int key);
  bool view_key(int key);
  bool prompt_key(int key);
  // Returns false if it quits.
  bool run(const Command& command);
  void sort(const std::string& argument);
  void choose_columns(const std::string& argument);
  void set_columns(ColumnSet set);

  Line head(const Scene& scene) const;
  Line foot() const;
  void draw_body(const Scene& scene, std::vector<Line>& lines);
  void draw_host(const Scene& scene, std::vector<Line>& lines);
  void note_completions(const Scene& scene);

  const bool utf8_;
  Settings settings_;
  bool settings_changed_ = false;
  Mode mode_ = Mode::kTable;
  Mode before_ = Mode::kTable;  // where Esc leads from help, and from a host
  bool typing_ = false;
  Prompt prompt_;
  TableView table_;
  HostView host_;
  AlertsView alerts_view_;
  ColumnsView columns_view_;
  bool paused_ = false;
  std::string message_;
  std::string trouble_;
  Servers servers_;
  AlertList alerts_;
  UnusualShares unusual_;
  Completions completions_;
};

}  // namespace monitor::analysis::top
