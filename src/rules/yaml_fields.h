// YamlFields: reads the entries of a YAML map. The caller takes each key that it knows; the others are unknown keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/yaml_tree.h"

namespace monitor::rules {

// One thread. The faults must outlive it.
class YamlFields {
 public:
  // `what` names the map in messages: "a rule". A node that is no map is a fault, and has no entries.
  YamlFields(const YamlPtr& node, std::string what, std::vector<Fault>& faults);

  bool is_map() const { return is_map_; }
  Place place() const { return place_; }
  // nullptr if the key is missing, or has no value.
  YamlPtr take(std::string_view key);
  // The place of the key; of the map if the key is missing.
  Place place_of(std::string_view key) const;

  // A scalar, as its text.
  std::optional<std::string> text(std::string_view key);
  // As Prometheus writes durations: 1h30m.
  std::optional<int64_t> duration_ms(std::string_view key);
  std::optional<int64_t> integer(std::string_view key, int64_t least, int64_t most);
  std::optional<bool> boolean(std::string_view key);
  // The items of a list; none if the key is missing.
  std::vector<YamlPtr> list(std::string_view key);
  // The entries of a map of texts.
  struct Entry {
    std::string key;
    Place key_place;
    std::string value;
    Place value_place;
  };
  std::vector<Entry> texts(std::string_view key);

  // Reports the keys that were not taken.
  void refuse_unknown();
  void fault(Place place, std::string text) { faults_.push_back({place, std::move(text)}); }

 private:
  YamlPtr node_;
  std::string what_;
  std::vector<Fault>& faults_;
  Place place_;
  bool is_map_ = false;
  std::vector<std::string> known_;  // keys that were asked for
};

}  // namespace monitor::rules
