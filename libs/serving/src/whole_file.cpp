#include "whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace marquee::serving {
namespace {

using Checksum = std::uint64_t;

Checksum checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Error failed(const std::string& path, const char* what) {
  return Error::retry(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

}  // namespace

Result<void> write_whole_file(const std::string& path, std::string_view magic, std::string_view content) {
  std::string bytes(magic);
  bytes += content;
  const Checksum sum = checksum(bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  const std::string beside = path + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed(beside, "make");
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto written = ::write(file, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      ::close(file);
      return failed(beside, "write");
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool is_synced = ::fsync(file) == 0;
  ::close(file);
  if (!is_synced) return failed(beside, "sync");
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed(path, "replace");
  return {};
}

Result<std::optional<std::string>> read_whole_file(const std::string& path, std::string_view magic) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::optional<std::string>();
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Checksum sum = 0;
  if (bytes.starts_with(magic) && bytes.size() >= magic.size() + sizeof sum) {
    const auto checked = std::string_view(bytes).substr(0, bytes.size() - sizeof sum);
    std::memcpy(&sum, bytes.data() + checked.size(), sizeof sum);
    if (sum == checksum(checked)) return std::optional(bytes.substr(magic.size(), checked.size() - magic.size()));
  }
  return Error::give_up(fmt::format("{} is damaged", path));
}

}  // namespace marquee::serving
