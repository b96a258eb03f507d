#include "rules/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/size_format.h"
#include "base/text.h"

namespace monitor::rules {

namespace {

Place place_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Ends the parser from within an event; parse_yaml() catches it.
struct Stop {
  Fault fault;
};

// Builds the tree from the parser's events, and ends it at the first limit.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const YamlLimits& limits) : limits_(limits) {}

  YamlPtr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place_node(make(YamlNode::Kind::kNull, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{{place_of(mark), "the alias refers to a node that contains it"}};
    count(place_of(mark));
    place_node(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    auto node = make(YamlNode::Kind::kScalar, mark, anchor);
    node->text = value;
    node->quoted = tag == "!";
    place_node(node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    YamlPtr key = nullptr;  // read, and its value is not
    std::set<std::string> keys = {};
    std::vector<YamlPtr> merged = {};  // maps that the key "<<" names, in order
  };

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    // "?" is a plain scalar and "!" a quoted one.
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Stop{{place_of(mark), fmt::format("got the tag {}, expected none", sanitize_utf8(tag))}};
    }
  }

  void count(const Place& place) {
    if (++nodes_ > limits_.nodes) {
      throw Stop{{place, fmt::format("the file has more than {} values", limits_.nodes)}};
    }
  }

  std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(place_of(mark));
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->place = place_of(mark);
    // An alias within a collection to itself finds nothing: the anchor counts from the end of the collection on.
    if (anchor != 0 && (kind == YamlNode::Kind::kNull || kind == YamlNode::Kind::kScalar)) anchors_[anchor] = node;
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(mark, tag);
    if (open_.size() >= limits_.depth) {
      throw Stop{{place_of(mark), fmt::format("lists and maps are nested more than {} deep", limits_.depth)}};
    }
    open_.push_back({make(kind, mark, 0), anchor});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    merge(done);
    if (done.anchor != 0) anchors_[done.anchor] = done.node;
    place_node(done.node);
  }

  // A map's own keys come before those of merged maps, and an earlier merged map before a later one.
  void merge(Open& map) {
    for (const YamlPtr& source : map.merged) {
      for (const auto& entry : source->entries) {
        if (!map.keys.insert(entry.first->text).second) continue;
        count(map.node->place);
        map.node->entries.push_back(entry);
      }
    }
  }

  // The value of the key "<<" of YAML 1.1: a map, or a list of maps.
  static void add_merged(Open& map, const YamlPtr& value) {
    const bool several = value->kind == YamlNode::Kind::kSequence;
    for (const YamlPtr& one : several ? value->items : std::vector<YamlPtr>{value}) {
      if (one->kind != YamlNode::Kind::kMap) {
        throw Stop{{one->place, fmt::format("<<: got {}, expected a map to merge", one->kind_name())}};
      }
      map.merged.push_back(one);
    }
  }

  void place_node(const YamlPtr& node) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->kind == YamlNode::Kind::kSequence) {
      parent.node->items.push_back(node);
    } else if (!parent.key) {
      if (node->kind != YamlNode::Kind::kScalar) {
        throw Stop{{node->place, fmt::format("got {} as a key, expected a text", node->kind_name())}};
      }
      if (!parent.keys.insert(node->text).second) {
        throw Stop{{node->place, fmt::format("the key {} is there twice", json_quote(node->text))}};
      }
      parent.key = node;
    } else if (parent.key->text == "<<" && !parent.key->quoted) {
      parent.key.reset();
      add_merged(parent, node);
    } else {
      parent.node->entries.emplace_back(std::exchange(parent.key, nullptr), node);
    }
  }

  const YamlLimits limits_;
  size_t nodes_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlPtr> anchors_;
  YamlPtr root_;
};

// What the parser itself would not notice, or only after much time.
std::optional<Fault> fault_of_text(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    // It may have been cut when it was read.
    return Fault{{}, fmt::format("the file has more than {}, which is the limit", format_size(limits.bytes))};
  }
  Place place;
  for (const char c : text) {
    if (c == '\0') return Fault{place, "the file contains a zero byte; it is no text"};
    if (c == '\n') {
      place = {place.line + 1, 1};
    } else {
      ++place.column;
    }
  }
  if (!valid_utf8(text)) return Fault{{}, "the file is not UTF-8"};
  return std::nullopt;
}

}  // namespace

std::string Fault::to_string() const { return fmt::format("{}:{}: {}", place.line, place.column, text); }

std::string_view YamlNode::kind_name() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return "a text";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      break;
  }
  return "a map";
}

YamlDocument parse_yaml(std::string_view text, const YamlLimits& limits) {
  YamlDocument document;
  if (auto fault = fault_of_text(text, limits)) {
    document.faults.push_back(std::move(*fault));
    return document;
  }
  Builder builder(limits);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return document;
    Builder second(limits);
    if (parser.HandleNextDocument(second) && second.root() && second.root()->kind != YamlNode::Kind::kNull) {
      throw Stop{{second.root()->place, "a second document begins; a file has one"}};
    }
    document.root = builder.root();
  } catch (const Stop& stop) {
    document.faults.push_back(stop.fault);
  } catch (const YAML::Exception& error) {
    document.faults.push_back({place_of(error.mark), "the file is not valid YAML: " + error.msg});
  }
  return document;
}

}  // namespace monitor::rules
