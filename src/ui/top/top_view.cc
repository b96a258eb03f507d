#include "ui/top/top_view.h"

#include <utility>

namespace monitor::analysis::top {

std::optional<Settings> TopView::take_changed_settings() {
  if (!std::exchange(settings_changed_, false)) return std::nullopt;
  return settings_;
}

void TopView::enter(Mode mode) {
  if (mode == mode_) return;
  if (mode_ != Mode::kHelp && mode_ != Mode::kColumns) before_ = mode_;
  mode_ = mode;
}

void TopView::back() {
  const bool overlay = mode_ == Mode::kHelp || mode_ == Mode::kColumns;
  const bool from_alerts = mode_ == Mode::kHost && before_ == Mode::kAlerts;
  mode_ = overlay || from_alerts ? before_ : Mode::kTable;
  before_ = Mode::kTable;
}

// An empty name: the first row, once it is known.
void TopView::open_host(const std::string& name) {
  host_.open(name);
  enter(Mode::kHost);
}

bool TopView::key(int key) {
  message_.clear();
  if (typing_) return prompt_key(key);
  if (key == 'q') return false;
  if (!mode_key(key)) view_key(key);
  return true;
}

// Handles keys that mean the same everywhere. Returns false for any other key.
bool TopView::mode_key(int key) {
  switch (key) {
    case '?':
    case 'h':
      if (mode_ == Mode::kHelp) {
        back();
      } else {
        enter(Mode::kHelp);
      }
      return true;
    case kEscape:
      back();
      return true;
    case '/':
    case ':':
      if (key == '/' && mode_ != Mode::kTable) enter(Mode::kTable);
      prompt_.open(static_cast<char>(key), key == '/' ? table_.order().filter : "");
      typing_ = true;
      return true;
    case 'a':
      enter(Mode::kAlerts);
      return true;
    case 'c':
      enter(Mode::kColumns);
      return true;
    case 'p':
      paused_ = !paused_;
      return true;
    case ' ':
      if (mode_ == Mode::kColumns) return false;
      paused_ = !paused_;
      return true;
    default:
      return false;
  }
}

bool TopView::view_key(int key) {
  switch (mode_) {
    case Mode::kTable:
      if (key != kEnter) return table_.key(key);
      open_host(table_.chosen());
      return true;
    case Mode::kHost:
      return host_.key(key) || table_.key(key);
    case Mode::kAlerts:
      if (key != kEnter || alerts_view_.agent().empty()) return alerts_view_.key(key);
      open_host(alerts_view_.agent());
      return true;
    case Mode::kColumns: {
      ColumnSet set = settings_.columns;
      const bool known = columns_view_.key(key, set);
      set_columns(std::move(set));
      return known;
    }
    case Mode::kHelp:
      return false;
  }
  return false;
}

void TopView::mouse(const Mouse& mouse) {
  message_.clear();
  switch (mode_) {
    case Mode::kTable:
      if (table_.mouse(mouse)) open_host(table_.chosen());
      break;
    case Mode::kHost:
      host_.mouse(mouse);
      break;
    case Mode::kAlerts:
      if (alerts_view_.mouse(mouse)) open_host(alerts_view_.agent());
      break;
    case Mode::kColumns: {
      ColumnSet set = settings_.columns;
      columns_view_.mouse(mouse, set);
      set_columns(std::move(set));
      break;
    }
    case Mode::kHelp:
      break;
  }
}

bool TopView::prompt_key(int key) {
  const Prompt::Done done = prompt_.key(key, completions_);
  typing_ = done == Prompt::Done::kTyping;
  if (prompt_.is_filter()) {
    table_.set_filter(done == Prompt::Done::kCancelled ? "" : prompt_.text());
    return true;
  }
  if (done != Prompt::Done::kEntered || prompt_.text().empty()) return true;
  const auto command = parse_command(prompt_.text());
  if (command) return run(*command);
  message_ = command.error().message();
  return true;
}

bool TopView::run(const Command& command) {
  switch (command.name) {
    case Command::Name::kSort:
      sort(command.argument);
      break;
    case Command::Name::kFilter:
      table_.set_filter(command.argument);
      enter(Mode::kTable);
      break;
    case Command::Name::kHost:
      open_host(command.argument);
      break;
    case Command::Name::kAlerts:
      enter(Mode::kAlerts);
      break;
    case Command::Name::kColumns:
      choose_columns(command.argument);
      break;
    case Command::Name::kTable:
      enter(Mode::kTable);
      break;
    case Command::Name::kPause:
      paused_ = !paused_;
      break;
    case Command::Name::kHelp:
      enter(Mode::kHelp);
      break;
    case Command::Name::kQuit:
      return false;
  }
  return true;
}

void TopView::sort(const std::string& argument) {
  const bool turned = argument.starts_with('-');
  const auto by = find_column(turned ? argument.substr(1) : argument);
  if (!by) {
    message_ = "there is no column " + argument + "; there are " + to_string(ColumnSet{});
    return;
  }
  table_.sort_by(*by, descends(*by) != turned);
  enter(Mode::kTable);
}

void TopView::choose_columns(const std::string& argument) {
  if (argument.empty()) return enter(Mode::kColumns);
  auto set = parse_columns(argument, settings_.columns);
  if (!set) {
    message_ = set.error().message();
    return;
  }
  set_columns(std::move(*set));
  enter(Mode::kTable);
}

void TopView::set_columns(ColumnSet set) {
  if (set == settings_.columns) return;
  settings_.columns = std::move(set);
  settings_changed_ = true;
}

}  // namespace monitor::analysis::top
