#include "plugins/host/lua_budget.h"

#include <cstdlib>
#include <cstring>
#include <ctime>

namespace monitor::plugin_host {

namespace {

int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int64_t cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace

LuaBudget& LuaBudget::of(lua_State* state) {
  void* self = nullptr;
  lua_getallocf(state, &self);
  return *static_cast<LuaBudget*>(self);
}

lua_State* LuaBudget::open() {
  cpu_end_ns_ = cpu_ns() + kCpuNs;
  return lua_newstate(allocate, this);
}

void LuaBudget::refill(lua_State* state) {
  left_ = kInstructions;
  cpu_end_ns_ = cpu_ns() + kCpuNs;
  look_at_ns_ = 0;
  lua_sethook(state, on_count, LUA_MASKCOUNT, kHookEvery);
}

void* LuaBudget::allocate(void* self, void* block, size_t old_size, size_t new_size) {
  auto& budget = *static_cast<LuaBudget*>(self);
  const bool text = block == nullptr && old_size == LUA_TSTRING;
  if (block == nullptr) old_size = 0;  // for a new block, Lua passes the kind of object as old size
  if (new_size == 0) {
    free(block);
    budget.used_ -= old_size;
    return nullptr;
  }
  if (new_size > old_size) {
    // Work that an instruction does by allocating counts as well.
    const bool spent = !budget.spend(static_cast<int64_t>(new_size / 64));
    const bool much = new_size - old_size > kMemory - budget.used_ || new_size > (text ? kText : kBlock);
    // Small allocations still succeed, because an error needs memory while it propagates.
    if (much || (spent && new_size > 4096)) return nullptr;
  }
  void* const moved = realloc(block, new_size);
  // Shrinking a block must never fail.
  if (moved == nullptr) return new_size <= old_size ? block : nullptr;
  budget.used_ = budget.used_ - old_size + new_size;
  return moved;
}

void LuaBudget::on_count(lua_State* state, lua_Debug*) {
  LuaBudget& budget = of(state);
  if (budget.spend(lua_gethookcount(state)) && !budget.late()) return;
  budget.left_ = 0;
  fail(state);
}

// Reading the processor clock costs a system call. Processor time cannot advance faster than real time, so it is not
// read before it could have reached the limit.
bool LuaBudget::late() {
  const int64_t now = read_clock(CLOCK_MONOTONIC);
  if (now < look_at_ns_) return false;
  const int64_t rest = cpu_end_ns_ - cpu_ns();
  look_at_ns_ = now + rest;
  return rest <= 0;
}

void LuaBudget::charge(lua_State* state, int64_t instructions) {
  if (!spend(instructions)) fail(state);
}

void LuaBudget::fail(lua_State* state) {
  // Makes every further instruction fail.
  lua_sethook(state, on_count, LUA_MASKCOUNT, 1);
  luaL_error(state, "%s", kSpent);
  abort();  // luaL_error does not return
}

}  // namespace monitor::plugin_host
