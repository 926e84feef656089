#include "addresses_of.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <future>

namespace marquee::notify {
namespace {

using boost::asio::ip::address;

/// A resolver that answers when it is let.
class Slow {
 public:
  ~Slow() { let(); }
  Resolve resolve() {
    return [gate = opened_](const std::string&) {
      gate.wait();
      return std::vector<address>{boost::asio::ip::make_address("192.0.2.1")};
    };
  }
  void let() {
    if (!std::exchange(is_open_, true)) gate_.set_value();
  }

 private:
  std::promise<void> gate_;
  std::shared_future<void> opened_ = gate_.get_future().share();
  bool is_open_ = false;
};

TEST(AddressesOf, are_those_the_system_has) {
  const auto found = addresses_of(resolve_by_system, "127.0.0.1", Millis(5'000), {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->at(0).to_string(), "127.0.0.1");
  const auto unknown = addresses_of(resolve_by_system, "no such name", Millis(5'000), {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().action, Action::retry);
  EXPECT_TRUE(unknown.error().message.starts_with("no such name is not known: ")) << unknown.error().message;
}

TEST(AddressesOf, are_not_waited_for_without_end) {
  Slow slow;
  const auto begin = std::chrono::steady_clock::now();
  const auto late = addresses_of(slow.resolve(), "example.com", Millis(50), {});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, "example.com was not resolved in time: the resolver does not answer");

  std::stop_source stop;
  auto stopped =
      std::async([&] { return addresses_of(slow.resolve(), "example.com", Millis(600'000), stop.get_token()); });
  stop.request_stop();
  EXPECT_EQ(stopped.get().error().message, "example.com was not resolved before the end");
}

TEST(AddressesOf, are_asked_for_by_a_bounded_number_of_threads) {
  const auto is_refused = [](const Result<std::vector<address>>& found) {
    return !found && found.error().message.find("is not asked for") != std::string::npos;
  };
  Slow slow;
  int asked = 0;
  while (asked < 100 && !is_refused(addresses_of(slow.resolve(), "example.com", Millis(1), {}))) ++asked;
  EXPECT_GE(asked, 1);
  EXPECT_LE(asked, 16);
  slow.let();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto found = addresses_of(slow.resolve(), "example.com", Millis(1'000), {});
  while (!found && std::chrono::steady_clock::now() < end)
    found = addresses_of(slow.resolve(), "example.com", Millis(1'000), {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->at(0).to_string(), "192.0.2.1");
}

}  // namespace
}  // namespace marquee::notify
