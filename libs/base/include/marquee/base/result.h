// Errors as values. Every fallible function returns Result<T>; the error says what the caller can do.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace marquee {

/// What a caller can do about an error.
enum class Action {
  retry,    ///< The same call may succeed later (busy, full, unreachable).
  reject,   ///< The input is wrong; the same call will fail again.
  give_up,  ///< The system is wrong (corrupt file, broken invariant); an operator must look.
};

/// An error: what happened, to what, and what to do, for people to read.
struct Error {
  Action action = Action::give_up;
  std::string message;

  [[nodiscard]] static Error retry(std::string message) { return {Action::retry, std::move(message)}; }
  [[nodiscard]] static Error reject(std::string message) { return {Action::reject, std::move(message)}; }
  [[nodiscard]] static Error give_up(std::string message) { return {Action::give_up, std::move(message)}; }
};

/// A value or an Error; ignoring one is a compile error.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  /// An Error converts to a failed Result, so that functions write `return Error::reject("...")`.
  Result(Error error)
      : std::expected<T, Error>(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
};

}  // namespace marquee
