// answer_within: asks what may hang (a file on a mount of others) where there is no loop yet.
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

// The answer; nothing when there is none within `ns`. Then the question goes on by itself, on a thread that is left
// alone: it must own what it uses.
template <typename T>
std::optional<T> answer_within(int64_t ns, std::function<T()> ask) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> answer = promise->get_future();
  std::thread([promise, ask = std::move(ask)] { promise->set_value(ask()); }).detach();
  if (answer.wait_for(std::chrono::nanoseconds(ns)) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace monitor
