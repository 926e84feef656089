#include "marquee/engine/data_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

namespace marquee::engine {
namespace {

constexpr std::chrono::milliseconds kTryAgain{20};

std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size() - 1, 0);
  return size > 0 ? fmt::format(" (process {})", std::string(text.data(), static_cast<std::size_t>(size)))
                  : std::string();
}

}  // namespace

Result<DataLock> DataLock::take(const std::filesystem::path& directory, std::chrono::milliseconds patience) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  const auto path = directory / "marquee-store.lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Error::give_up(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  DataLock lock(descriptor);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Error::give_up(fmt::format("cannot lock {}: {}", path.string(), std::strerror(errno)));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error::give_up(
          fmt::format("the data directory {} is in use by another marquee-store{}; stop it or choose another "
                      "with --data",
                      directory.string(), holder(descriptor)));
    }
    std::this_thread::sleep_for(kTryAgain);  // flock cannot wait with a limit.
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, pid.data(), pid.size(), 0) < 0) {
    return Error::give_up(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  }
  return lock;
}

DataLock::~DataLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

DataLock::DataLock(DataLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace marquee::engine
