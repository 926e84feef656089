// ClickHouse's error codes: which may pass, and which are raised before anything is written.
// Source: src/Common/ErrorCodes.cpp of ClickHouse.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::clickhouse {

/// The code of an error answer: its header, else the "Code: N." that its text begins with; 0 where there is none.
[[nodiscard]] int error_code(const http::Response& response);

/// The same statement may succeed later: load, memory, disk, coordination, cancellation.
[[nodiscard]] constexpr bool may_pass(int code) {
  constexpr std::array codes = {
      3,    // UNEXPECTED_END_OF_FILE
      32,   // ATTEMPT_TO_READ_AFTER_EOF: a body that was cut off
      74,   // CANNOT_READ_FROM_FILE_DESCRIPTOR
      75,   // CANNOT_WRITE_TO_FILE_DESCRIPTOR
      76,   // CANNOT_OPEN_FILE: too many open files
      159,  // TIMEOUT_EXCEEDED
      160,  // TOO_SLOW
      173,  // CANNOT_ALLOCATE_MEMORY
      202,  // TOO_MANY_SIMULTANEOUS_QUERIES
      209,  // SOCKET_TIMEOUT
      210,  // NETWORK_ERROR
      216,  // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
      225,  // NO_ZOOKEEPER
      236,  // ABORTED
      241,  // MEMORY_LIMIT_EXCEEDED
      242,  // TABLE_IS_READ_ONLY: a replica that lost its coordination
      243,  // NOT_ENOUGH_SPACE
      252,  // TOO_MANY_PARTS
      254,  // NO_ACTIVE_REPLICAS
      279,  // ALL_CONNECTION_TRIES_FAILED
      285,  // TOO_FEW_LIVE_REPLICAS
      286,  // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
      319,  // UNKNOWN_STATUS_OF_INSERT
      394,  // QUERY_WAS_CANCELLED
      425,  // SYSTEM_ERROR
      439,  // CANNOT_SCHEDULE_TASK
      473,  // DEADLOCK_AVOIDED
      495,  // SERVER_OVERLOADED
      999,  // KEEPER_EXCEPTION
  };
  return std::ranges::find(codes, code) != codes.end();
}

/// Raised while the statement is still being admitted, parsed or planned, so that no row of an insert was written.
[[nodiscard]] constexpr bool precedes_writing(int code) {
  constexpr std::array codes = {
      16,   // NO_SUCH_COLUMN_IN_TABLE
      46,   // UNKNOWN_FUNCTION
      47,   // UNKNOWN_IDENTIFIER
      60,   // UNKNOWN_TABLE
      62,   // SYNTAX_ERROR
      73,   // UNKNOWN_FORMAT
      81,   // UNKNOWN_DATABASE
      115,  // UNKNOWN_SETTING
      164,  // READONLY
      192,  // UNKNOWN_USER
      193,  // WRONG_PASSWORD
      194,  // REQUIRED_PASSWORD
      202,  // TOO_MANY_SIMULTANEOUS_QUERIES
      216,  // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
      497,  // ACCESS_DENIED
      516,  // AUTHENTICATION_FAILED
  };
  return std::ranges::find(codes, code) != codes.end();
}

}  // namespace marquee::clickhouse
