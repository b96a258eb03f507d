// LuaBudget: limits a script's memory, and its work in one call. Work is counted in instructions. C functions and the
// allocator charge their work in instructions as well, because no hook runs while they do.
//
// Once the budget is spent, every further instruction fails, so that a script cannot continue by catching the error.
// The budget is stored next to the state and can be found from any of its threads. Functions marked as such may leave
// by longjmp: their callers must not hold objects with destructors.
#pragma once

#include <lua.hpp>

#include <cstddef>
#include <cstdint>

namespace monitor::plugin_host {

class LuaBudget {
 public:
  static constexpr size_t kMemory = size_t{32} * 1024 * 1024;
  static constexpr size_t kBlock = size_t{4} * 1024 * 1024;  // largest allocation, that of a table's array
  static constexpr size_t kText =
      size_t{1} * 1024 * 1024 + 64;  // largest string; bounds the cost of C functions that are not charged for it
  static constexpr int64_t kInstructions = 5'000'000;  // per call
  static constexpr int64_t kCpuNs = 60'000'000;        // per call
  static constexpr int kHookEvery = 100;               // instructions

  static LuaBudget& of(lua_State* state);

  // Creates a state with this budget; nullptr if there is no memory.
  lua_State* open();

  // Starts a call with the full budget.
  void refill(lua_State* state);
  bool spent() const { return left_ <= 0; }
  int64_t left() const { return left_; }
  // Charges work. Returns false if the budget is spent.
  bool spend(int64_t instructions) { return (left_ -= instructions) > 0; }
  // Like charge(), but raises an error if the budget is spent.
  void charge(lua_State* state, int64_t instructions);
  [[noreturn]] static void fail(lua_State* state);
  size_t memory() const { return used_; }

  static constexpr const char* kSpent = "the script's budget of instructions is spent";

 private:
  static void* allocate(void* self, void* block, size_t old_size, size_t new_size);
  static void on_count(lua_State* state, lua_Debug*);
  bool late();

  size_t used_ = 0;
  int64_t left_ = kInstructions;
  int64_t cpu_end_ns_ = 0;
  int64_t look_at_ns_ = 0;  // monotonic time before which the processor clock need not be read
};

}  // namespace monitor::plugin_host
