#include "addresses_of.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace marquee::notify {
namespace {

using Addresses = std::vector<boost::asio::ip::address>;

constexpr int kMostLeft = 16;
std::atomic<int> asking = 0;  ///< Threads that resolve.

/// What is asked, by the one who asks and the one who waits, whoever ends last.
struct Question {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<Result<Addresses>> answer;
};

Result<Addresses> ask(const Resolve& resolve, const std::string& host) {
  try {
    auto found = resolve(host);
    if (found.empty()) return Error::retry(fmt::format("{} has no address", host));
    return found;
  } catch (const boost::system::system_error& error) {
    return Error::retry(fmt::format("{} is not known: {}", host, error.code().message()));
  }
}

}  // namespace

std::vector<boost::asio::ip::address> resolve_by_system(const std::string& host) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::resolver resolver(context);
  Addresses found;
  for (const auto& one : resolver.resolve(host, "")) found.push_back(one.endpoint().address());
  return found;
}

Result<Addresses> addresses_of(const Resolve& resolve, const std::string& host, Millis wait,
                               const std::stop_token& stop) {
  if (asking.fetch_add(1) >= kMostLeft) {
    --asking;
    return Error::retry(fmt::format("{} is not asked for: the resolver has not answered {} times", host, kMostLeft));
  }
  const auto question = std::make_shared<Question>();
  std::thread([question, resolve, host] {
    auto answer = ask(resolve, host);
    {
      const std::lock_guard lock(question->mutex);
      question->answer = std::move(answer);
    }
    question->answered.notify_all();
    --asking;
  }).detach();
  std::unique_lock lock(question->mutex);
  if (!question->answered.wait_for(lock, stop, wait, [&] { return question->answer.has_value(); }))
    return Error::retry(
        fmt::format("{} was not resolved {}", host,
                    stop.stop_requested() ? "before the end" : "in time: the resolver does not answer"));
  return *question->answer;
}

}  // namespace marquee::notify
