#include "marquee/engine/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "chdb_api.h"

namespace marquee::engine {
namespace {

constexpr const char* kVersion = "chdb-26.7.3-stable.1";

template <class Function>
bool find_symbol(void* handle, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  if (function == nullptr) missing = name;
  return function != nullptr;
}

bool find_all(void* handle, chdb::Api& api, std::string& missing) {
  return find_symbol(handle, "chdb_version", api.version, missing) &&
         find_symbol(handle, "chdb_set_signal_handlers_enabled", api.set_signal_handlers_enabled, missing) &&
         find_symbol(handle, "chdb_connect", api.connect, missing) &&
         find_symbol(handle, "chdb_close_conn", api.close, missing) &&
         find_symbol(handle, "chdb_query_with_params_n", api.query, missing) &&
         find_symbol(handle, "chdb_stream_query_with_params_n", api.stream, missing) &&
         find_symbol(handle, "chdb_stream_fetch_result", api.fetch, missing) &&
         find_symbol(handle, "chdb_stream_cancel_query", api.cancel, missing) &&
         find_symbol(handle, "chdb_stream_insert_with_params_n", api.insert, missing) &&
         find_symbol(handle, "chdb_stream_append", api.append, missing) &&
         find_symbol(handle, "chdb_stream_done", api.done, missing) &&
         find_symbol(handle, "chdb_stream_insert_error", api.insert_error, missing) &&
         find_symbol(handle, "chdb_destroy_insert_stream", api.destroy_insert, missing) &&
         find_symbol(handle, "chdb_classify_query_n", api.classify, missing) &&
         find_symbol(handle, "chdb_result_buffer", api.buffer, missing) &&
         find_symbol(handle, "chdb_result_length", api.length, missing) &&
         find_symbol(handle, "chdb_result_elapsed", api.elapsed, missing) &&
         find_symbol(handle, "chdb_result_rows_read", api.rows_read, missing) &&
         find_symbol(handle, "chdb_result_bytes_read", api.bytes_read, missing) &&
         find_symbol(handle, "chdb_result_storage_rows_read", api.storage_rows_read, missing) &&
         find_symbol(handle, "chdb_result_storage_bytes_read", api.storage_bytes_read, missing) &&
         find_symbol(handle, "chdb_result_rows_written", api.rows_written, missing) &&
         find_symbol(handle, "chdb_result_bytes_written", api.bytes_written, missing) &&
         find_symbol(handle, "chdb_result_error", api.error, missing) &&
         find_symbol(handle, "chdb_destroy_query_result", api.destroy, missing);
}

}  // namespace

Library::Library(std::unique_ptr<chdb::Api> api) : api_(std::move(api)) {}
Library::~Library() = default;

std::string Library::version() const { return api_->version(); }

Result<std::shared_ptr<const Library>> Library::load(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Error::give_up(fmt::format(
        "the engine is not at {}; run tools/install, or name it with --engine or MARQUEE_ENGINE", path.string()));
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Error::give_up(
        fmt::format("the engine cannot be loaded: {}; run tools/install to fetch it anew", dlerror()));
  }
  auto api = std::make_unique<chdb::Api>();
  std::string missing;
  if (!find_all(handle, *api, missing)) {
    return Error::give_up(
        fmt::format("the engine at {} has no {}: it is not the version Marquee needs ({}); run tools/install",
                    path.string(), missing, kVersion));
  }
  // Signals belong to the program: the engine would print a trace and carry on where the supervisor wants a clean
  // death.
  api->set_signal_handlers_enabled(0);
  return std::shared_ptr<const Library>(new Library(std::move(api)));
}

std::filesystem::path find_library(const std::filesystem::path& chosen) {
  namespace fs = std::filesystem;
  if (!chosen.empty()) return chosen;
  if (const char* named = std::getenv("MARQUEE_ENGINE"); named != nullptr && *named != '\0') return named;
  std::error_code failed;
  const fs::path executable = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    fs::path beside = executable.parent_path().parent_path() / "lib" / "libchdb.so";
    if (fs::exists(beside, failed)) return beside;
  }
  fs::path cache;
  if (const char* named = std::getenv("MARQUEE_CACHE"); named != nullptr && *named != '\0') {
    cache = named;
  } else if (const char* home = std::getenv("HOME"); home != nullptr) {
    cache = fs::path(home) / ".cache" / "marquee";
  }
  return cache / kVersion / "libchdb.so";
}

}  // namespace marquee::engine
