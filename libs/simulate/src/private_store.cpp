#include "private_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

extern char** environ;

namespace marquee::simulate {
namespace {

constexpr std::string_view kPasswordVariable = "MARQUEE_STORE_PASSWORD=";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain)
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string new_password() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

// The port of the line {"event":"store.ready",...,"port":8123,...}.
std::uint16_t port_of(std::string_view line) {
  const auto at = line.find(R"("port":)");
  std::uint16_t port = 0;
  if (at != std::string_view::npos) std::from_chars(line.data() + at + 7, line.data() + line.size(), port);
  return port;
}

Result<void> to_result(const std::expected<http::Response, http::Failure>& answer, const std::string& body) {
  if (!answer) return Error::give_up(fmt::format("marquee-store: {}", answer.error().message));
  if (answer->status != 200) return Error::give_up(fmt::format("marquee-store: {}", body.substr(0, 400)));
  return {};
}

}  // namespace

Result<std::unique_ptr<PrivateStore>> PrivateStore::start(const std::string& binary, const std::string& directory) {
  if (::access(binary.c_str(), X_OK) != 0)
    return Error::reject(
        fmt::format("Parquet needs marquee-store, which is not at {}; name it with MARQUEE_STORE_BIN", binary));
  std::error_code code;
  if (!std::filesystem::create_directory(directory, code))
    return Error::reject(
        fmt::format("cannot make the directory {}: {}", directory, code ? code.message() : "it is there"));
  std::unique_ptr<PrivateStore> store(new PrivateStore(directory));
  if (auto launched = store->launch(binary); !launched) return launched.error();
  return store;
}

Result<void> PrivateStore::launch(const std::string& binary) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return Error::give_up("cannot make a pipe to marquee-store");
  password_ = new_password();
  std::vector<std::string> words = {binary, "--data", directory_, "--port", "0", "--listen", "127.0.0.1"};
  const auto password = std::string(kPasswordVariable) + password_;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  for (auto& word : words) arguments.push_back(word.data());
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with(kPasswordVariable)) environment.push_back(*entry);
  environment.push_back(const_cast<char*>(password.c_str()));
  arguments.push_back(nullptr);
  environment.push_back(nullptr);
  const auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {  // Until exec: async-signal-safe calls only.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setpgid(0, 0);  // A terminal's Ctrl-C is for this process to answer.
    if (::getppid() != parent || ::dup2(pipe_ends[1], STDOUT_FILENO) < 0) ::_exit(127);
    ::execve(arguments[0], arguments.data(), environment.data());
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  auto connected = pid_ > 0 ? connect(pipe_ends[0]) : Result<void>(Error::give_up("cannot start marquee-store"));
  ::close(pipe_ends[0]);
  return connected;
}

Result<void> PrivateStore::connect(int announcements) {
  std::string line;
  std::array<char, 512> piece{};
  while (line.find('\n') == std::string::npos) {
    const auto n = ::read(announcements, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error::give_up("marquee-store ended before it was ready (it says why above)");
    line.append(piece.data(), static_cast<std::size_t>(n));
  }
  const auto port = port_of(line);
  if (port == 0) return Error::give_up("marquee-store did not name its port");
  http::ClientOptions options;
  options.timeout_ms = 0;
  options.max_response_bytes = std::size_t{1} << 50;
  client_ = std::make_unique<http::Client>(fmt::format("http://127.0.0.1:{}", port), options);
  return {};
}

PrivateStore::~PrivateStore() {
  client_.reset();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);  // What it holds is thrown away.
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<void> PrivateStore::run(std::string_view statement, std::string_view data) {
  http::Headers headers;
  headers.add("X-ClickHouse-User", "default");
  headers.add("X-ClickHouse-Key", password_);
  const auto answer = client_->send("POST", "/?query=" + escaped(statement), headers, data);
  return to_result(answer, answer ? answer->body : std::string());
}

Result<void> PrivateStore::read(std::string_view statement, const std::function<bool(std::string_view)>& on_data) {
  http::Headers headers;
  headers.add("X-ClickHouse-User", "default");
  headers.add("X-ClickHouse-Key", password_);
  std::string begin;  // Of the answer: the message, where it is an error.
  const auto answer = client_->send_streaming("POST", "/", headers, statement, [&](std::string_view data) {
    if (begin.size() < 400) begin.append(data.substr(0, 400));
    return on_data(data);
  });
  return to_result(answer, begin);
}

}  // namespace marquee::simulate
