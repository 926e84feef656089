// Parquet through the store's engine, in a process of its own: the engine does not belong into this one.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "import_source.h"

extern char** environ;

namespace marquee::ingest {
namespace {

class ChildSource final : public ByteSource {
 public:
  ChildSource(std::string path, pid_t pid, int fd) : path_(std::move(path)), pid_(pid), fd_(fd), buffer_(256 * 1024) {}
  ~ChildSource() override {
    ::close(fd_);
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  ChildSource(const ChildSource&) = delete;
  ChildSource& operator=(const ChildSource&) = delete;

  Result<std::string_view> read() override {
    ssize_t n;
    do n = ::read(fd_, buffer_.data(), buffer_.size());
    while (n < 0 && errno == EINTR);
    if (n > 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(n));
    if (pid_ <= 0) return std::string_view();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::string_view();
    return Error::reject(fmt::format("{} could not be read as Parquet (marquee-store says why above)", path_));
  }
  // What the child has read of the file is not known; the progress counts rows alone.
  [[nodiscard]] std::uint64_t consumed() const override { return 0; }

 private:
  std::string path_;
  pid_t pid_;
  int fd_;
  std::vector<char> buffer_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_parquet(const std::string& path, const std::string& store_binary) {
  if (::access(path.c_str(), R_OK) != 0)
    return Error::reject(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    return Error::give_up(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  std::vector<std::string> words = {store_binary, "convert", "--in", path, "--out-format", "JSONEachRow"};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int code = ::posix_spawn(&pid, store_binary.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (code != 0) {
    ::close(pipe_ends[0]);
    return Error::give_up(fmt::format("cannot run {} to read Parquet: {}", store_binary, std::strerror(code)));
  }
  return std::make_unique<ChildSource>(path, pid, pipe_ends[0]);
}

}  // namespace marquee::ingest
