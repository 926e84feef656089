#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "marquee/ingest/rollup.h"

namespace marquee::ingest {
namespace {

/// A lock belongs to an open file description, so each holder opens the file anew, through the descriptor kept for
/// that.
Result<int> lock(int file, int operation) {
  const int mine = ::open(fmt::format("/proc/self/fd/{}", file).c_str(), O_RDWR | O_CLOEXEC);
  if (mine < 0) return Error::retry(fmt::format("cannot open the rollup lock: {}", std::strerror(errno)));
  while (::flock(mine, operation) != 0) {
    if (errno == EINTR) continue;
    const int reason = errno;
    ::close(mine);
    return Error::retry(fmt::format("cannot take the rollup lock: {}", std::strerror(reason)));
  }
  return mine;
}

Result<int> open_file(const std::string& directory, const char* name) {
  const std::string path = directory + "/" + name;
  std::error_code ec;
  if (!directory.empty()) std::filesystem::create_directories(directory, ec);  // Where it fails, so does open.
  const int file =
      directory.empty() ? ::memfd_create(name, MFD_CLOEXEC) : ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return Error::give_up(fmt::format("cannot make the lock file {}: {}", path, std::strerror(errno)));
  return file;
}

}  // namespace

Result<std::unique_ptr<RollupGate>> RollupGate::open(const std::string& directory) {
  const auto entry = open_file(directory, "rollup-entry.lock");
  if (!entry) return entry.error();
  const auto gate = open_file(directory, "rollup-gate.lock");
  if (!gate) {
    ::close(*entry);
    return gate.error();
  }
  return std::unique_ptr<RollupGate>(new RollupGate(*entry, *gate));
}

RollupGate::~RollupGate() {
  ::close(entry_);
  ::close(gate_);
}

RollupGate::Pass::Pass(Pass&& other) noexcept : files_(std::exchange(other.files_, {})) {}

RollupGate::Pass::~Pass() {
  for (const int file : files_) ::close(file);
}

Result<RollupGate::Pass> RollupGate::share() {
  const auto entry = lock(entry_, LOCK_SH);
  if (!entry) return entry.error();
  const auto gate = lock(gate_, LOCK_SH);
  ::close(*entry);
  if (!gate) return gate.error();
  return Pass({*gate});
}

Result<RollupGate::Pass> RollupGate::close() {
  const auto entry = lock(entry_, LOCK_EX);
  if (!entry) return entry.error();
  const auto gate = lock(gate_, LOCK_EX);
  if (!gate) {
    ::close(*entry);
    return gate.error();
  }
  return Pass({*entry, *gate});
}

}  // namespace marquee::ingest
