#include "config/engine.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/text.h"

namespace monitor::config {

namespace {

// Document::parse says "line 3: ..." where it knows; else 0.
int line_of_message(std::string_view message) {
  if (!message.starts_with("line ")) return 0;
  message.remove_prefix(5);
  return static_cast<int>(parse_u64(message.substr(0, message.find(':'))).value_or(0));
}

}  // namespace

ConfigEngine::ConfigEngine(EngineOptions options, ConfigSource& source, const PluginCatalog& plugins, Applier& applier,
                           Disk& disk)
    : options_(std::move(options)), source_(source), plugins_(plugins), applier_(applier), disk_(disk) {
  if (options_.own_key.empty()) options_.own_key = agent_key(options_.agent_id);
}

std::vector<std::string> ConfigEngine::layer_keys() const {
  std::vector<std::string> keys = {defaults_key()};
  for (const std::string& group : options_.groups) keys.push_back(group_key(group));
  keys.push_back(options_.own_key);
  return keys;
}

void ConfigEngine::start() {
  const std::vector<std::string> keys = layer_keys();
  source_.watch({keys.begin(), keys.end()}, *this);
}

void ConfigEngine::start_without_source(const Error& reason) {
  if (!running_) fall_back(reason.message());
}

void ConfigEngine::reevaluate() {
  if (running_) evaluate();
}

void ConfigEngine::on_keys(const KeySet& keys) {
  if (source_lost_) log_info("configuration source is back", {{"revision", keys.revision}});
  source_lost_ = false;
  heard_ = keys;
  state_.desired = keys.revision;
  evaluate();
}

void ConfigEngine::on_source_lost(const Error& reason) {
  if (!source_lost_) {
    log_warning("configuration source lost; the running configuration stays in force, trying on", {{"reason", reason}});
  }
  source_lost_ = true;
}

Result<std::vector<Layer>> ConfigEngine::parse_layers(std::vector<Problem>& problems) const {
  std::vector<Layer> layers;
  for (const std::string& key : layer_keys()) {
    const auto found = heard_.entries.find(key);
    if (found == heard_.entries.end()) continue;
    const std::string name = source_.describe(key);
    auto document = found->second.fault ? Result<Document>(*found->second.fault) : Document::parse(found->second.value);
    if (!document) {
      Problem problem;
      problem.key = name;
      problem.message = document.error().message();
      problem.line = line_of_message(problem.message);
      problems.push_back(problem);
      return document.error();
    }
    layers.push_back({name, heard_.revision, std::move(*document)});
  }
  return layers;
}

void ConfigEngine::evaluate() {
  std::vector<Problem> problems;
  const auto layers = parse_layers(problems);
  if (!layers) {
    refuse(problems);
    return;
  }
  if (layers->empty() && running_ && documented_) {
    // Deleting a configuration is no order to stop: what runs goes on, and the state says so.
    if (!state_.deleted && state_.applied > 0) {
      log_warning("configuration deleted; the last good one stays in force", {{"revision", heard_.revision}});
    }
    state_.deleted = true;
    state_.applied = heard_.revision;
    state_.error.clear();
    applier_.apply(settings_, heard_.revision);
    return;
  }
  state_.deleted = false;
  apply_layers(*layers);
}

void ConfigEngine::apply_layers(const std::vector<Layer>& layers) {
  Validated validated = validate(layers, plugins_);
  if (!validated.ok()) {
    refuse(validated.problems);
    return;
  }
  const int64_t previous = state_.applied;
  const bool same = running_ && validated.settings == settings_;
  if (!put_in_force(validated.settings, heard_.revision, validated.problems)) {
    refuse(validated.problems);
    return;
  }
  documented_ = !layers.empty();
  state_.applied = heard_.revision;
  state_.error.clear();
  for (const Problem& warning : validated.problems) {
    log_warning("configuration warning", {{"revision", heard_.revision}, {"what", warning.to_string()}});
  }
  if (same && previous == heard_.revision) return;
  ++state_.reloads;
  log_info("configuration applied",
           {{"revision", heard_.revision}, {"previous", previous}, {"source", source_of(layers)}});
  if (!layers.empty()) save_last_good(layers);
}

bool ConfigEngine::put_in_force(const Settings& settings, int64_t revision, std::vector<Problem>& problems) {
  if (auto problem = applier_.apply(settings, revision)) {
    problems.insert(problems.begin(), std::move(*problem));
    return false;
  }
  settings_ = settings;
  running_ = true;
  return true;
}

void ConfigEngine::refuse(const std::vector<Problem>& problems) {
  const Problem& first = problems.front();
  state_.last_failed = heard_.revision;
  state_.error = first.to_string();
  ++state_.failures;
  log_error("configuration refused", {{"revision", heard_.revision},
                                      {"path", first.path.empty() ? "/" : first.path},
                                      {"line", first.line},
                                      {"got", LogJson{first.got.empty() ? "null" : first.got}},
                                      {"known", LogJson{json_quote(first.known)}},
                                      {"reason", first.message},
                                      {"source", first.key},
                                      {"in_force", state_.applied}});
  if (!running_) fall_back("the configuration is not valid");
}

void ConfigEngine::fall_back(const std::string& why) {
  std::vector<Problem> problems;
  if (const auto last_good = load_last_good()) {
    if (put_in_force(*last_good, state_.applied, problems)) {
      documented_ = true;
      log_warning("starting on the last good configuration", {{"why", why}, {"file", options_.last_good_file}});
      return;
    }
  }
  const Validated defaults = validate({}, plugins_);
  if (!put_in_force(defaults.settings, 0, problems)) {
    log_error("the default configuration cannot be applied", {{"reason", problems.front().message}});
    return;
  }
  log_warning("starting on the built-in defaults", {{"why", why}});
}

std::optional<Settings> ConfigEngine::load_last_good() const {
  if (options_.last_good_file.empty()) return std::nullopt;
  const auto text = disk_.read_file(options_.last_good_file, 2 * kMaxDocumentBytes);
  if (!text) {
    if (text.error().code() != Code::kNotFound) {
      log_warning("last good configuration cannot be read", {{"reason", text.error()}});
    }
    return std::nullopt;
  }
  // First line: the checksum of what follows.
  const size_t end = text->find('\n');
  const std::string_view body = end == std::string::npos ? std::string_view() : std::string_view(*text).substr(end + 1);
  if (text->substr(0, end) != fmt::format("crc32c {:08x}", crc32c(body))) {
    log_warning("last good configuration is damaged and not used", {{"file", options_.last_good_file}});
    return std::nullopt;
  }
  auto document = Document::parse(body);
  if (!document) return std::nullopt;
  const Validated validated = validate({{options_.last_good_file, 0, std::move(*document)}}, plugins_);
  if (!validated.ok()) {
    log_warning("last good configuration is no longer valid", {{"what", validated.problems.front().to_string()}});
    return std::nullopt;
  }
  return validated.settings;
}

void ConfigEngine::save_last_good(const std::vector<Layer>& layers) {
  if (options_.last_good_file.empty()) return;
  const std::string body = merge_layers(layers).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const Status saved = disk_.write_file(options_.last_good_file, fmt::format("crc32c {:08x}\n{}", crc32c(body), body));
  if (!saved) log_warning("last good configuration cannot be kept", {{"reason", saved.error()}});
}

std::string ConfigEngine::source_of(const std::vector<Layer>& layers) const {
  if (layers.empty()) return "built-in defaults";
  std::vector<std::string> names;
  names.reserve(layers.size());
  for (const Layer& layer : layers) names.push_back(layer.key);
  return join(names, ",");
}

}  // namespace monitor::config
