#include "store_process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <vector>

#include "marquee/clickhouse/client.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MARQUEE_SANITIZED_BUILD
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MARQUEE_SANITIZED_BUILD
#endif

namespace marquee::clickhouse::testing {
namespace {

int free_port() {
  const int socket_file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool is_bound = ::bind(socket_file, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(socket_file, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket_file);
  if (!is_bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

std::string store_binary() {
  if (const char* path = std::getenv("MARQUEE_STORE_BIN")) return path;
#ifdef MARQUEE_SANITIZED_BUILD
  return {};
#else
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "marquee-store";
  return std::filesystem::exists(beside) ? beside.string() : std::string();
#endif
}

std::string why_no_store() {
  return "there is no marquee-store beside this test; set MARQUEE_STORE_BIN to one to run it (a sanitized build has "
         "none)";
}

StoreProcess::StoreProcess() : port_(free_port()) {
  static int count = 0;
  directory_ = (std::filesystem::temp_directory_path() /
                ("marquee-store-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++)))
                   .string();
  std::filesystem::create_directories(directory_);
  start();
}

StoreProcess::~StoreProcess() {
  kill_now();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string StoreProcess::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

void StoreProcess::start() {
  const std::string binary = store_binary();
  const std::string port = std::to_string(port_);
  const std::string data = directory_ + "/data";
  const std::string log = directory_ + "/log";
  std::vector<const char*> arguments = {binary.c_str(), "--data", data.c_str(), "--port", port.c_str(), nullptr};
  pid_ = ::fork();
  if (pid_ == 0) {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, 1);
    ::dup2(file, 2);
    ::execv(binary.c_str(), const_cast<char* const*>(arguments.data()));
    ::_exit(127);
  }
  if (!is_up()) throw std::runtime_error("marquee-store did not start; see " + log);
}

void StoreProcess::kill_now() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bool StoreProcess::is_up() const {
  Endpoint endpoint;
  endpoint.url = url();
  Client client(endpoint);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < end) {
    if (client.ping()) return true;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Between two looks.
  }
  return false;
}

}  // namespace marquee::clickhouse::testing
