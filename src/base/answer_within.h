// answer_within(): runs a call that may block for long (a read on a remote mount) with a time limit. For code that has
// no event loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace monitor {

// Returns the result of `ask`, or nothing after `ns`. A late call continues on its detached thread: it must own all it
// uses.
template <typename T>
std::optional<T> answer_within(int64_t ns, std::function<T()> ask) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> answer = promise->get_future();
  std::thread([promise, ask = std::move(ask)] { promise->set_value(ask()); }).detach();
  if (answer.wait_for(std::chrono::nanoseconds(ns)) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace monitor
