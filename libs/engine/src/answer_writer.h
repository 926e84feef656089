// The answer to one request: held back while small or while it may yet fail, sent in chunks once it is large.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/engine/connection.h"
#include "marquee/engine/request.h"
#include "marquee/http/server.h"

namespace marquee::engine {

/// What every answer of a store tells about itself.
struct Identity {
  std::string timezone = "UTC";
  std::string display_name = "marquee-store";
};

/// One user at a time. Exactly one of finish and fail is called.
class AnswerWriter {
 public:
  AnswerWriter(http::Responder responder, const Identity& identity);

  /// Before the first write: how to send. `format` is the one that the answer is in.
  void describe(const StoreRequest& request, std::string_view format, std::string_view query_id);
  /// Adds to the answer. False when the client is gone, or the answer cannot be sent in the form asked for.
  [[nodiscard]] bool write(std::string piece);
  void finish(const Progress& progress);
  /// Before anything was sent: an error with its status. After: its text between marks that clients look for, and a
  /// broken connection, so that nobody takes the part for the whole.
  void fail(const Failure& failure);

 private:
  [[nodiscard]] http::Response head(const Progress& progress) const;
  [[nodiscard]] Answer<std::string> encoded(std::string piece) const;
  [[nodiscard]] Answer<std::string> framed(std::string piece) const;
  bool send_held();
  bool send(std::string piece);
  void fail_midway(const Failure& failed);
  void fail_whole(const Failure& failed);

  http::Responder responder_;
  const Identity& identity_;
  std::string format_ = "TabSeparated";
  std::string query_id_;
  std::string tag_;  ///< Tells an error in the middle of an answer from data that looks like one.
  std::string encoding_;
  std::optional<BlockMethod> blocks_;
  std::uint64_t protocol_version_ = 0;
  std::optional<Failure> cannot_send_;  ///< Why the answer cannot be brought into the form that was asked for.
  bool wait_for_end_ = false;
  std::string held_;
  std::shared_ptr<http::Stream> stream_;
};

/// The Content-Type that ClickHouse gives a format.
[[nodiscard]] std::string_view content_type(std::string_view format);
/// X-ClickHouse-Summary.
[[nodiscard]] std::string summary(const Progress& progress);

}  // namespace marquee::engine
