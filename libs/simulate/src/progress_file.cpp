#include "progress_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace marquee::simulate {
namespace {

/// What was renamed is durable once its directory is.
bool sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  return is_synced;
}

}  // namespace

Result<ProgressFile> ProgressFile::open(std::string path) {
  ProgressFile file(std::move(path));
  if (!std::filesystem::exists(file.path_)) return file;
  std::ifstream in(file.path_);
  log::Range plan;
  auto& progress = file.progress_;
  if (!(in >> progress.next >> plan.begin >> plan.end >> progress.planner))
    return Error::give_up(fmt::format("{}: expected four numbers; begin anew in another directory", file.path_));
  if (!plan.empty()) progress.plan = plan;
  return file;
}

Result<void> ProgressFile::set(const log::Progress& progress) {
  const auto plan = progress.plan.value_or(log::Range{});
  const auto text = fmt::format("{} {} {} {}\n", progress.next, plan.begin, plan.end, progress.planner);
  const auto fresh = path_ + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool is_written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  is_written = is_written && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  is_written = is_written && std::rename(fresh.c_str(), path_.c_str()) == 0 && sync_directory_of(path_);
  if (!is_written) return Error::retry(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
  progress_ = progress;
  return {};
}

}  // namespace marquee::simulate
