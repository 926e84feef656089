// bench_decision_load PORT KEY PLACEMENTS RATE SECONDS USERS: asks for decisions over HTTP and tells what a client
// sees.
//
// RATE a second, as an open loop: when each request is due is drawn beforehand (Poisson), whatever becomes of those
// before, and its latency counts from then ("coordinated omission": Tene, 2013). A request takes a connection that is
// free, or another one, up to 512; beyond that it waits, and its latency tells. RATE 0: 64 connections, each of which
// asks again as soon as it is answered.
//
// Prints "LOAD name=number ...": answers, microseconds from the first request to the last answer, quantiles of latency,
// how late the 99th of a hundred was sent (the generator's own doing), and what failed.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr std::size_t kMostConnections = 512, kClosedConnections = 64;
constexpr auto kLastAnswers = std::chrono::seconds(10);  ///< What has no answer so long after the last request failed.

struct Options {
  std::uint16_t port = 0;
  std::string key;
  unsigned placements = 1;
  double rate = 0;
  double seconds = 1;
  std::uint64_t users = 1;
};

/// No two requests alike: students of many colleges on many pages.
std::string request(const Options& options, std::uint64_t serial) {
  std::string slots;
  for (unsigned i = 1; i <= options.placements; ++i)
    slots += fmt::format(R"({}{{"slot_id":"slot-{}"}})", i > 1 ? "," : "", i);
  const auto body = fmt::format(
      R"({{"placements":[{}],"page_id":"page-{}","query":"word-{}","user_id":"student-{}","college_id":"college-{}",)"
      R"("program":"engineering","year_of_study":{},"consent":"full","age":20}})",
      slots, serial % 30, serial * 31 % 500, serial * 7919 % options.users, serial % 60, serial % 4 + 1);
  return fmt::format(
      "POST /v1/decisions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0\r\nContent-Length: {}\r\n"
      "\r\n{}",
      options.key, body.size(), body);
}

struct Connection {
  int socket = -1;
  Time due;
  std::string in;
};

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    ::prctl(PR_SET_TIMERSLACK, 1UL);
  }
  ~Load() {
    for (const auto& one : connections_) ::close(one->socket);
    ::close(epoll_);
  }

  void run() {
    if (options_.rate > 0)
      run_open();
    else
      run_closed();
  }

  void print() {
    std::ranges::sort(latencies_);
    std::ranges::sort(late_);
    const auto at = [](const std::vector<double>& sorted, double share) {
      return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
    };
    fmt::print(
        "LOAD answers={} duration_us={:.0f} p50_us={:.0f} p90_us={:.0f} p99_us={:.0f} p999_us={:.0f} "
        "most_us={:.0f} sent_late_p99_us={:.0f} connections={} errors={} not_200={}\n",
        latencies_.size(), std::chrono::duration<double, std::micro>(last_ - first_).count(), at(latencies_, 0.5),
        at(latencies_, 0.9), at(latencies_, 0.99), at(latencies_, 0.999), at(latencies_, 1), at(late_, 0.99),
        connections_.size(), errors_, not_200_);
  }

 private:
  void run_open() {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> gap(options_.rate);
    const auto begin = first_ = Clock::now();
    const auto after = [&](double seconds) {
      return begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    };
    double due_s = gap(random);
    std::deque<Time> waiting;
    for (;;) {
      const auto now = Clock::now();
      for (; due_s < options_.seconds && after(due_s) <= now; due_s += gap(random)) waiting.push_back(after(due_s));
      while (!waiting.empty()) {
        auto* free = take_free();
        if (free == nullptr) break;
        send(*free, waiting.front());
        waiting.pop_front();
      }
      const bool is_over = due_s >= options_.seconds;
      if (is_over && waiting.empty() && pending_ == 0) return;
      if (now > after(options_.seconds) + kLastAnswers) break;
      receive(is_over ? std::chrono::milliseconds(10) : std::max(after(due_s) - Clock::now(), Clock::duration::zero()));
    }
    errors_ += pending_ + waiting.size();
  }

  void run_closed() {
    const auto begin = first_ = Clock::now();
    const auto end =
        begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds));
    for (std::size_t i = 0; i < kClosedConnections; ++i)
      if (auto* free = take_free()) send(*free, Clock::now());
    for (auto now = begin; now < end; now = Clock::now()) {
      receive(std::chrono::milliseconds(10));
      while (!free_.empty()) send(*take_free(), Clock::now());
    }
    while (pending_ > 0 && Clock::now() < end + kLastAnswers) receive(std::chrono::milliseconds(10));
    errors_ += pending_;
  }

  Connection* take_free() {
    if (!free_.empty()) {
      auto* one = free_.back();
      free_.pop_back();
      return one;
    }
    return connections_.size() < kMostConnections ? connect() : nullptr;
  }

  Connection* connect() {
    auto one = std::make_unique<Connection>();
    one->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    ::setsockopt(one->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (::connect(one->socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(one->socket);
      ++errors_;
      return nullptr;
    }
    epoll_event event{.events = EPOLLIN, .data = {.ptr = one.get()}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, one->socket, &event);
    connections_.push_back(std::move(one));
    return connections_.back().get();
  }

  void send(Connection& to, Time due) {
    const auto bytes = request(options_, ++serial_);
    to.due = due;
    late_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - due).count());
    // A request is far shorter than what a socket takes, and the one before it is answered.
    if (::send(to.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      ++errors_;
    else
      ++pending_;
  }

  void receive(Clock::duration most) {
    constexpr int kEvents = 64;
    epoll_event events[kEvents];
    const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(most).count();
    const timespec timeout{.tv_sec = nanos / 1'000'000'000, .tv_nsec = nanos % 1'000'000'000};
    const int count = ::epoll_pwait2(epoll_, events, kEvents, &timeout, nullptr);
    for (int i = 0; i < count; ++i) take(*static_cast<Connection*>(events[i].data.ptr));
  }

  void take(Connection& from) {
    char bytes[16 * 1024];
    const auto size = ::recv(from.socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, from.socket, nullptr);
      ++errors_;
      --pending_;
      return;
    }
    from.in.append(bytes, static_cast<std::size_t>(size));
    if (!is_whole(from.in)) return;
    last_ = Clock::now();
    latencies_.push_back(std::chrono::duration<double, std::micro>(last_ - from.due).count());
    if (!from.in.starts_with("HTTP/1.1 200 ")) ++not_200_;
    from.in.clear();
    --pending_;
    free_.push_back(&from);
  }

  static bool is_whole(std::string_view answer) {
    constexpr std::string_view kLength = "Content-Length: ";
    const auto head = answer.find("\r\n\r\n");
    const auto length = answer.find(kLength);
    if (head == std::string_view::npos || length > head) return false;
    std::size_t body = 0;
    std::from_chars(answer.data() + length + kLength.size(), answer.data() + head, body);
    return answer.size() >= head + 4 + body;
  }

  const Options options_;
  const int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> free_;
  std::size_t pending_ = 0, errors_ = 0, not_200_ = 0;
  std::uint64_t serial_ = 0;
  std::vector<double> latencies_, late_;
  Time first_, last_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) {
    fmt::print(stderr, "usage: bench_decision_load PORT KEY PLACEMENTS RATE SECONDS USERS\n");
    return 2;
  }
  Load load({.port = static_cast<std::uint16_t>(std::atoi(arguments[1])),
             .key = arguments[2],
             .placements = static_cast<unsigned>(std::atoi(arguments[3])),
             .rate = std::atof(arguments[4]),
             .seconds = std::atof(arguments[5]),
             .users = std::strtoull(arguments[6], nullptr, 10)});
  load.run();
  load.print();
}
