// ClickHouse's HTTP interface, read: what a request asks for, from its headers and its URL.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/engine/compressed_blocks.h"
#include "marquee/engine/connection.h"
#include "marquee/engine/failure.h"
#include "marquee/http/message.h"

namespace marquee::engine {

/// A request to run a statement. The body is not looked at here.
struct StoreRequest {
  std::string user = "default";
  std::string password;
  bool has_credentials = false;

  std::string remote_address;
  std::string user_agent;
  std::string query;     ///< ?query=; the body follows it.
  std::string database;  ///< Empty: the default one.
  std::string query_id;
  std::string format = "TabSeparated";      ///< Where the statement names none.
  Parameters parameters;                    ///< param_name.
  Settings settings;                        ///< Every other URL parameter.
  bool reading_only = false;                ///< GET, HEAD: may not change anything.
  std::optional<std::size_t> buffer_size;   ///< How much of the answer to hold back until it is sent.
  bool sends_each_block = false;            ///< Blocks are so small that the client must want each at once.
  bool writes_exception_in_format = false;  ///< An error is written as the format writes one, where it can.
  bool wait_end_of_query = false;           ///< Answer only once all of it is known to be right.
  std::string content_encoding;             ///< Of the body, in lower case.
  std::string accepted_encoding;            ///< "zstd", "lz4", "gzip" or "": of the answer.
  std::string session_id;                   ///< Empty: none.
  std::chrono::seconds session_timeout{60};
  bool session_must_exist = false;
  bool closes_session = false;
  /// Where progress is to be told while the statement runs: how often.
  std::optional<std::chrono::milliseconds> progress_interval;
  bool adds_cors_header = false;   ///< The answer may be read by pages of other origins.
  std::vector<std::string> roles;  ///< Those that the client asks to have; none: all of the user's.
  std::string boundary;            ///< Of a body of multipart/form-data, which holds external tables; else empty.
  Parameters externals;            ///< <table>_structure, <table>_types, <table>_format of external tables.
  bool sends_blocks = false;       ///< decompress=1: the body is in ClickHouse's compressed blocks.
  bool wants_blocks = false;       ///< compress=1: so must the answer be.
  BlockMethod block_method = BlockMethod::lz4;
  std::uint64_t protocol_version = 0;  ///< Of the client; how blocks of the Native format begin.
};

/// Fails with BAD_ARGUMENTS for what cannot be read, such as a setting's name that is none.
[[nodiscard]] Answer<StoreRequest> interpret(const http::Request& request);

/// The body as it was before Content-Encoding (also lz4 frames) and before ClickHouse's own compression. Fails with
/// INCORRECT_DATA or what decode_blocks() fails with; output beyond `max_bytes` is refused.
[[nodiscard]] Answer<std::string> decode_request_body(std::string body, const StoreRequest& request,
                                                      std::size_t max_bytes);

/// Decodes one or more LZ4 frames that follow each other.
[[nodiscard]] Answer<std::string> decode_lz4_frames(std::string_view frames, std::size_t max_bytes);
[[nodiscard]] std::string encode_lz4_frame(std::string_view data);

}  // namespace marquee::engine
