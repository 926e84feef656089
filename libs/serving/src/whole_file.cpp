#include "whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace marquee::serving {
namespace {

Error failed(const std::string& path, const char* what) {
  return Error::retry(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

}  // namespace

Result<void> write_whole_file(const std::string& path, std::string_view bytes) {
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

}  // namespace marquee::serving
