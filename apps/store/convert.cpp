#include "convert.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "marquee/engine/connection.h"
#include "marquee/engine/library.h"
#include "marquee/engine/pool.h"

namespace marquee::store {
namespace {

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<void> convert_in(const std::filesystem::path& directory, const ConvertOptions& options) {
  engine::EngineOptions engine;
  engine.library = engine::find_library(options.engine);
  engine.data_directory = directory;
  auto pool = engine::Pool::start(std::move(engine));
  if (!pool) return pool.error();
  auto connection = (*pool)->lend();
  if (!connection) return Error::give_up(connection.error().message);
  const engine::Settings settings = {{"session_timezone", "UTC"},
                                     {"max_threads", "1"},
                                     {"input_format_parquet_preserve_order", "1"},
                                     {"output_format_json_quote_64bit_integers", "0"}};
  if (auto set = (*connection)->set(settings); !set) return Error::give_up(set.error().message);
  const auto sql = fmt::format("SELECT * FROM file({}, Parquet)",
                               engine::quote_text(std::filesystem::absolute(options.in).string()));
  bool is_written = true;
  const auto done = (*connection)->stream(sql, options.out_format, {}, [&](std::string piece) {
    return is_written = write_all(piece);
  });
  if (!is_written) return Error::give_up("standard output was closed");
  if (!done) return Error::reject(fmt::format("{}: {}", options.in, done.error().message));
  return {};
}

}  // namespace

Result<void> convert(const ConvertOptions& options) {
  if (!engine::streams_in_pieces(options.out_format)) {
    return Error::reject(
        fmt::format("{} cannot be written in pieces; JSONEachRow, CSV and TSV can", options.out_format));
  }
  auto pattern = (std::filesystem::temp_directory_path() / "marquee-convert-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return Error::give_up(fmt::format("cannot make a directory {}: {}", pattern, std::strerror(errno)));
  }
  auto done = convert_in(pattern, options);
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
  return done;
}

}  // namespace marquee::store
