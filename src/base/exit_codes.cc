#include "base/exit_codes.h"

namespace monitor {

int exit_code_for(const Error& error) {
  switch (error.code()) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return kExitUsage;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return kExitUnavailable;
    case Code::kAborted:
    case Code::kAlreadyExists:
      return kExitTempFail;
    default:
      return kExitIo;
  }
}

}  // namespace monitor
