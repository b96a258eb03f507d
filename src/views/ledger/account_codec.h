// An account's wire form in snapshots. Pure.
#pragma once

#include <string>

#include "base/protowire.h"
#include "views/ledger/account.h"

namespace monitor::analysis {

// Everything but its agent and incarnation.
void put_account(std::string& out, const Account& account);
// Takes a field of an account; unknown ones change nothing. False: it is malformed.
bool read_account_field(const protowire::Field& field, Account& account);

}  // namespace monitor::analysis
