// What went wrong in the engine, as ClickHouse's clients expect to read it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace marquee::engine {

/// ClickHouse's error numbers that the store itself raises or looks at.
enum Code : int {
  kUnknown = 1,
  kBadArguments = 36,
  kChecksumDoesNotMatch = 40,
  kNotImplemented = 48,
  kSyntaxError = 62,
  kUnknownCompressionMethod = 89,
  kUnknownSetting = 115,
  kIncorrectData = 117,
  kReadonly = 164,
  kUnknownUser = 192,
  kRequiredPassword = 194,
  kQuotaExceeded = 201,
  kTooManyQueries = 202,
  kQueryIdTaken = 216,
  kIntoOutfileNotAllowed = 358,
  kCannotDecompress = 271,
  kSessionNotFound = 372,
  kSessionIsLocked = 373,
  kInvalidSessionTimeout = 374,
  kCancelled = 394,
  kAccessEntityExists = 493,
  kAccessDenied = 497,
  kUnknownRole = 511,
  kRoleNotGranted = 512,
  kAuthenticationFailed = 516,
  kServerStopping = 236,  ///< ABORTED
};

struct Failure {
  int code = kUnknown;
  std::string message;  ///< Begins "Code: N. DB::Exception: ".
};

template <class T = void>
using Answer = std::expected<T, Failure>;

/// A failure of the store's own, with its text in the engine's form. `name` is the symbolic name ("READONLY").
[[nodiscard]] Failure failure(int code, std::string_view name, std::string_view text);

/// Reads the number out of the engine's text ("Code: 60. DB::Exception: ..."); kUnknown where there is none.
[[nodiscard]] Failure parse_failure(std::string text);

/// The HTTP status that ClickHouse answers with for an error number.
[[nodiscard]] unsigned http_status(int code);

}  // namespace marquee::engine
