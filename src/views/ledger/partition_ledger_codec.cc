// PartitionLedger's wire form in snapshots. Field numbers must never change; unknown ones are skipped.
#include <algorithm>
#include <utility>

#include "base/protowire.h"
#include "views/ledger/account_codec.h"
#include "views/ledger/account_fields.h"
#include "views/ledger/partition_ledger.h"

namespace monitor::analysis {

namespace {

using protowire::Reader;

// Fields of the ledger.
enum : uint32_t { kHole = 1, kNewest = 2, kAccount = 3 };

}  // namespace

void PartitionLedger::encode(std::string& out) const {
  protowire::put_uint64(out, kHole, static_cast<uint64_t>(hole_));
  protowire::put_sfixed64(out, kNewest, now_.now_ns());
  for (const auto& [agent, accounts] : agents_) {
    for (const auto& [incarnation, account] : accounts) {
      std::string bytes;
      protowire::put_bytes(bytes, account_fields::kAgent, agent);
      protowire::put_bytes(bytes, account_fields::kIncarnation, incarnation);
      put_account(bytes, account);
      protowire::put_message(out, kAccount, bytes);
    }
  }
}

Result<PartitionLedger> PartitionLedger::decode(std::string_view bytes) {
  const Error bad(Code::kDataLoss, "its ledger is malformed");
  PartitionLedger ledger;
  Reader outer(bytes);
  while (const auto field = outer.next()) {
    if (field->number == kHole && field->value > static_cast<uint64_t>(Hole::kExpired)) return bad;
    if (field->number == kHole) ledger.hole_ = static_cast<Hole>(field->value);
    if (field->number == kNewest) ledger.now_ = LogTime(field->as_signed());
    if (field->number != kAccount) continue;
    std::string agent;
    std::string incarnation;
    Account account;
    Reader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == account_fields::kAgent) agent = part->bytes;
      if (part->number == account_fields::kIncarnation) incarnation = part->bytes;
      if (!read_account_field(*part, account)) return bad;
    }
    if (inner.failed()) return bad;
    account.claimed = std::max<uint64_t>(account.claimed, 1);  // sequences start at 1, whatever was stored
    ledger.agents_[agent].insert_or_assign(std::move(incarnation), std::move(account));
  }
  if (outer.failed()) return bad;
  return ledger;
}

}  // namespace monitor::analysis
