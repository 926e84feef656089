// The answer to one request: held back while small or while it may yet fail, sent in chunks once it is large.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "content_codings.h"
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
  /// `types` is asked for those of the answer's columns, should it need them.
  void describe(const StoreRequest& request, std::string_view format, std::string_view query_id,
                std::function<std::vector<std::string>()> types = {});
  /// The statement gives no rows: the answer has no format, which is how clients tell it from a result without rows.
  void has_no_rows();
  /// Adds to the answer. False when the client is gone, or the answer cannot be sent in the form asked for.
  [[nodiscard]] bool write(std::string piece);
  void finish(const Progress& progress);
  /// What the statement has done so far. Where progress was asked for it is sent as a field of the head, as long as
  /// that has not ended. From any thread, beside the other functions; never waits.
  void tell(const Progress& progress);
  /// `progress` with what only tell() was told.
  [[nodiscard]] Progress completed(Progress progress) const;
  /// Called should the client leave before it has its answer; on an I/O thread.
  void on_client_gone(std::function<void()> gone) { responder_.on_client_gone(std::move(gone)); }
  /// Before anything was sent: an error with its status. After: its text between marks that clients look for, and a
  /// broken connection, so that nobody takes the part for the whole.
  void fail(const Failure& failure);

 private:
  [[nodiscard]] bool must_send() const;
  void add_first_fields(http::Response& response) const;
  [[nodiscard]] http::Response head(const Progress& progress) const;
  void add_last_progress(http::Response& response, const Progress& progress) const;
  [[nodiscard]] Answer<std::string> encoded(std::string piece, bool last);
  [[nodiscard]] Answer<std::string> framed(std::string piece);
  bool send_held(bool last);
  bool send(std::string piece, bool last);
  void fail_midway(const Failure& failed);
  void fail_whole(const Failure& failed);

  http::Responder responder_;
  const Identity& identity_;
  std::string format_ = "TabSeparated";
  std::string query_id_;
  std::string tag_;  ///< Tells an error in the middle of an answer from data that looks like one.
  std::string encoding_;
  std::unique_ptr<StreamCoder> coder_;
  std::optional<BlockMethod> blocks_;
  std::uint64_t protocol_version_ = 0;
  std::function<std::vector<std::string>()> ask_types_;
  std::optional<std::vector<std::string>> types_;
  std::optional<Failure> cannot_send_;  ///< Why the answer cannot be brought into the form that was asked for.
  bool wait_for_end_ = false;
  std::optional<std::chrono::milliseconds> progress_interval_;  ///< Where progress is wanted.
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point told_ = begin_;
  bool adds_cors_ = false;
  bool gives_rows_ = true;
  bool writes_exception_in_format_ = false;
  bool sends_each_block_ = false;
  Progress seen_;                                                       ///< The last that tell() was given.
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();  ///< Between tell() and what sends.
  std::optional<std::size_t> buffer_size_;                              ///< The client's wish.
  std::string held_;
  std::chrono::steady_clock::time_point held_since_{};
  std::shared_ptr<http::Stream> stream_;
};

/// An error as the format itself writes one; nothing where it has no way to.
[[nodiscard]] std::optional<std::string> exception_in_format(std::string_view format, const std::string& message);
/// The Content-Type that ClickHouse gives a format.
[[nodiscard]] std::string_view content_type(std::string_view format);
/// X-ClickHouse-Summary and X-ClickHouse-Progress.
[[nodiscard]] std::string summary(const Progress& progress);

}  // namespace marquee::engine
