// One agent in `top`: its state, charts of its main figures, its alerts, and all that is known of its host, by section.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "ui/top/keys.h"
#include "ui/top/scene.h"

namespace monitor::analysis::top {

class HostView {
 public:
  void open(const std::string& name);
  const std::string& name() const { return name_; }
  // Returns false if the key has no meaning here.
  bool key(int key);
  void mouse(const Mouse& mouse);
  // The agent must be in the scene's fleet.
  void draw(const Scene& scene, const LiveAgent& agent, std::vector<Line>& lines);

 private:
  void scroll_by(long by);

  std::string name_;
  long scroll_ = 0;
  long page_ = 20;
  std::vector<long> sections_;  // the lines where they begin
};

// Its name, host, version, labels and state.
// `unusual`: the share of its series that are.
std::vector<Line> summary_lines(const LiveAgent& agent, const Verdict& verdict, std::optional<double> unusual,
                                size_t width);
// Its alerts and its sections, as a list that scrolls. `starts` gets the index of each section's first line.
std::vector<Line> body_lines(const Scene& scene, const LiveAgent& agent, size_t width, std::vector<long>& starts);

}  // namespace monitor::analysis::top
