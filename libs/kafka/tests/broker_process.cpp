#include "broker_process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "marquee/kafka/topics.h"

namespace marquee::kafka::testing {
namespace {

int free_port() {
  const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_bound = ::bind(file, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(file, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(file);
  if (!is_bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

BrokerProcess::BrokerProcess() : port_(free_port()), controller_port_(free_port()) {
  directory_ = (std::filesystem::temp_directory_path() / ("marquee-kafka-test-" + std::to_string(::getpid()))).string();
  std::filesystem::create_directories(directory_);
  start();
}

BrokerProcess::~BrokerProcess() {
  kill_now();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Cluster BrokerProcess::cluster() const { return {.brokers = "127.0.0.1:" + std::to_string(port_), .properties = {}}; }

void BrokerProcess::start() {
  const std::string script = MARQUEE_SOURCE_DIR "/deploy/kafka/broker";
  const std::string port = std::to_string(port_);
  const std::string controller = std::to_string(controller_port_);
  const std::string log = directory_ + "/log";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // It does not outlive the test, however that ends.
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, 1);
    ::dup2(file, 2);
    ::execl(script.c_str(), script.c_str(), directory_.c_str(), port.c_str(), controller.c_str(), nullptr);
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!describe_topics(cluster(), {{.name = "any"}}, Millis(1'000))) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > end)
      throw std::runtime_error("the broker did not start; see " + log);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // Between two looks.
  }
}

void BrokerProcess::kill_now() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

BrokerProcess::Silence BrokerProcess::silence() const {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  // The signal alone is not enough: a thread on another core may yet answer what is asked next.
  if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status))
    throw std::runtime_error("the broker is gone");
  return Silence(pid_);
}

void BrokerProcess::Silence::end() {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
  pid_ = 0;
}

}  // namespace marquee::kafka::testing
