#include "decider_place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "marquee/base/logging.h"

namespace marquee::app {
namespace {

namespace fs = std::filesystem;

constexpr int kMostDeciders = 1'000;

/// Takes over the newest file of that name, unless it is the directory's own. One that its owner replaces meanwhile is
/// as good: files are replaced as a whole.
void take_newest(const std::string& root, const std::string& directory, const std::string& name) {
  std::error_code ignored;
  std::optional<std::pair<fs::file_time_type, fs::path>> newest;
  for (const auto& place : fs::directory_iterator(root, ignored)) {
    std::error_code is_missing;
    const auto time = fs::last_write_time(place.path() / name, is_missing);
    if (!is_missing && (!newest || time > newest->first)) newest.emplace(time, place.path() / name);
  }
  const auto own = fs::path(directory) / name;
  if (!newest || newest->second == own) return;
  const auto part = directory + "/" + name + ".taken";
  std::error_code failed;
  if (fs::copy_file(newest->second, part, fs::copy_options::overwrite_existing, failed); !failed)
    fs::rename(part, own, failed);
  if (failed) logging::warn("decide.not_taken_over", {{"path", newest->second.string()}, {"error", failed.message()}});
}

}  // namespace

Result<DeciderPlace> DeciderPlace::take(const std::string& root, bool keeps_profiles) {
  for (int number = 1; number <= kMostDeciders; ++number) {
    const auto directory = fmt::format("{}/{}", root, number);
    std::error_code failed;
    fs::create_directories(directory, failed);
    if (failed) return Error::give_up(fmt::format("cannot make the directory {}: {}", directory, failed.message()));
    const auto path = directory + "/lock";
    const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return Error::give_up(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
      ::close(lock);
      continue;
    }
    DeciderPlace place(directory, lock);
    for (const char* name : {"counts", "model"}) take_newest(root, directory, name);
    if (keeps_profiles) {
      fs::create_directories(place.profiles(), failed);
      take_newest(root, directory, "profiles/snapshot");
    }
    return place;
  }
  return Error::reject(fmt::format("{} deciders use {}", kMostDeciders, root));
}

DeciderPlace::DeciderPlace(DeciderPlace&& other) noexcept
    : directory_(std::move(other.directory_)), lock_(std::exchange(other.lock_, -1)) {}

DeciderPlace::~DeciderPlace() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace marquee::app
