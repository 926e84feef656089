#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "private_store.h"
#include "progress.h"

namespace marquee::simulate {
namespace {

constexpr std::size_t kParquetBlock = 8 << 20;

// Log keeps rows in the order they came in. As the stream writes them, times are whole milliseconds.
constexpr std::string_view kCreate = R"(
CREATE TABLE default.simulated
(
    type String, seq UInt32, event_time Int64, session_id String, consent String, user_id Nullable(String),
    college_id Nullable(String), program Nullable(String), year_of_study Nullable(UInt8), city Nullable(String),
    device String, os String, browser String, viewport_width UInt16, viewport_height UInt16,
    page_id String, page_path String, referrer Nullable(String), slot_id Nullable(String), position Nullable(UInt8),
    campaign_id Nullable(String), ad_id Nullable(String), policy Nullable(String), propensity Nullable(Float64),
    decision_id Nullable(String), x Nullable(UInt16), y Nullable(UInt16), page_x Nullable(UInt16), page_y Nullable(UInt16),
    scroll_depth Nullable(UInt16), dwell_ms Nullable(UInt32), visible_ms Nullable(UInt32), course_id Nullable(String),
    search_query Nullable(String), results_count Nullable(UInt32), value Nullable(Float64)
)
ENGINE = Log)";
// A field without a column is refused, so that the table cannot fall behind the stream.
constexpr std::string_view kInsert =
    "INSERT INTO default.simulated SETTINGS input_format_skip_unknown_fields = 0, input_format_parallel_parsing = 0 "
    "FORMAT "
    "JSONEachRow";
constexpr std::string_view kSelect =
    "SELECT * REPLACE (fromUnixTimestamp64Milli(event_time, 'UTC') AS event_time) FROM default.simulated "
    "SETTINGS max_threads = 1, output_format_parquet_compression_method = 'zstd', "
    "output_format_parquet_string_as_string = "
    "1 FORMAT Parquet";

Result<void> save(PrivateStore& store, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return Error::reject(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  bool is_written = true;
  auto read = store.read(kSelect, [&](std::string_view data) {
    is_written = std::fwrite(data.data(), 1, data.size(), file) == data.size();
    return is_written;
  });
  const int cause = errno;
  is_written = std::fclose(file) == 0 && is_written;
  if (!is_written) return Error::give_up(fmt::format("cannot write {}: {}", path, std::strerror(cause)));
  return read;
}

}  // namespace

Result<Summary> write_parquet(Stream& stream, const std::string& path, const std::string& store_binary,
                              const RunOptions& options) {
  if (options.events == 0 && options.duration_ms == 0)
    return Error::reject("a Parquet file needs an end: events or a duration");
  auto store = PrivateStore::start(store_binary, fmt::format("{}.store-{}", path, ::getpid()));
  if (!store) return store.error();
  if (auto made = (*store)->run(kCreate); !made) return made.error();
  Summary summary;
  Progress progress(options, summary);
  std::string ndjson;
  for (bool goes_on = true; goes_on;) {
    ndjson.clear();
    goes_on = fill(stream, options, progress, kParquetBlock, ndjson);
    if (summary.malformed > 0) return Error::reject("a malformed line has no place in a Parquet file; write NDJSON");
    if (ndjson.empty()) break;
    if (auto inserted = (*store)->run(kInsert, ndjson); !inserted) return inserted.error();
    summary.bytes += ndjson.size();
    progress.report();
  }
  const auto part = path + ".part";
  if (auto saved = save(**store, part); !saved) {
    ::unlink(part.c_str());
    return saved.error();
  }
  if (std::rename(part.c_str(), path.c_str()) != 0)
    return Error::give_up(fmt::format("cannot rename {} to {}: {}", part, path, std::strerror(errno)));
  summary.seconds = progress.elapsed().count();
  return summary;
}

}  // namespace marquee::simulate
