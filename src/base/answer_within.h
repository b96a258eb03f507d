// answer_within(): a call that may block for long (a file on a remote mount), with a time limit, for code without a
// loop.
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

// The answer, or nothing after `ns`. The call then continues on a detached thread, so it must own everything it uses.
template <typename T>
std::optional<T> answer_within(int64_t ns, std::function<T()> ask) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> answer = promise->get_future();
  std::thread([promise, ask = std::move(ask)] { promise->set_value(ask()); }).detach();
  if (answer.wait_for(std::chrono::nanoseconds(ns)) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace monitor
