#include "inputs/stream/stream_table.h"

#include <fmt/format.h>

#include <utility>

namespace monitor::server {

Status StreamTable::add(const std::shared_ptr<LiveStream>& stream, size_t max_per_agent) {
  std::vector<std::shared_ptr<LiveStream>> stale;
  {
    const std::lock_guard lock(mutex_);
    auto& streams = by_agent_[stream->agent_id];
    std::erase_if(streams, [&](const std::shared_ptr<LiveStream>& other) {
      if (other->incarnation != stream->incarnation) return false;
      stale.push_back(other);
      return true;
    });
    size_ -= stale.size();
    if (streams.size() >= max_per_agent) {
      return Error(Code::kResourceExhausted, fmt::format("agent {} has {} live streams, the limit is {}",
                                                         stream->agent_id, streams.size(), max_per_agent));
    }
    for (const auto& other : streams) other->has_rival = true;
    streams.push_back(stream);
    ++size_;
  }
  for (const auto& other : stale) {
    other->end(Error(Code::kAborted, fmt::format("a newer stream of this agent, from {}, replaced it", stream->peer)));
  }
  return {};
}

void StreamTable::remove(const std::shared_ptr<LiveStream>& stream) {
  const std::lock_guard lock(mutex_);
  const auto it = by_agent_.find(stream->agent_id);
  if (it == by_agent_.end()) return;
  size_ -= std::erase(it->second, stream);
  if (it->second.empty()) by_agent_.erase(it);
}

std::shared_ptr<LiveStream> StreamTable::rival_of(const LiveStream& stream) const {
  const std::lock_guard lock(mutex_);
  const auto it = by_agent_.find(stream.agent_id);
  if (it == by_agent_.end()) return nullptr;
  for (auto other = it->second.rbegin(); other != it->second.rend(); ++other) {
    if ((*other)->incarnation != stream.incarnation) return *other;
  }
  return nullptr;
}

size_t StreamTable::end_if(const std::function<bool(const LiveStream&)>& ends, const Error& error) {
  std::vector<std::shared_ptr<LiveStream>> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [agent, streams] : by_agent_) {
      for (const auto& stream : streams) {
        if (!stream->certificate.serial.empty() && ends(*stream)) found.push_back(stream);
      }
    }
  }
  for (const auto& stream : found) stream->end(error);
  return found.size();
}

size_t StreamTable::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace monitor::server
