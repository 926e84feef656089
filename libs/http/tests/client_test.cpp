#include "marquee/http/client.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

namespace marquee::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A server that takes nothing until it is told to, and then everything.
class Reluctant {
 public:
  Reluctant() {
    acceptor_.open(tcp::v4());
    acceptor_.set_option(tcp::socket::receive_buffer_size(16 * 1024));
    acceptor_.bind({asio::ip::make_address("127.0.0.1"), 0});
    acceptor_.listen();
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  void accept() { acceptor_.accept(socket_); }
  /// Up to `limit` bytes, or what comes until the connection ends.
  std::size_t read(std::size_t limit) {
    std::string out(limit, '\0');
    boost::system::error_code ec;
    return asio::read(socket_, asio::buffer(out), ec);
  }
  void answer() { asio::write(socket_, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))); }

 private:
  asio::io_context context_;
  tcp::acceptor acceptor_{context_};
  tcp::socket socket_{context_};
};

constexpr std::size_t kBody = 1'000'000;

TEST(Client, waits_for_a_peer_that_takes_nothing_as_long_as_its_machine_answers) {
  Reluctant server;
  Client client(server.url(), {.lost_after_ms = 1'000});
  auto answer = std::async(std::launch::async,
                           [&] { return client.send("POST", "/", {}, std::string(kBody, 'x'), /*timeout_ms=*/0); });
  server.accept();
  // Longer than a peer may be silent, and long enough for the kernel to ask several times whether it takes more.
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(3'500)), std::future_status::timeout);
  EXPECT_GT(server.read(kBody), kBody - 1);
  server.answer();
  const auto got = answer.get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200U);
}

TEST(Client, leaves_nothing_on_its_way_when_it_gives_up) {
  Reluctant server;
  Client client(server.url());
  auto answer =
      std::async(std::launch::async, [&] { return client.send("POST", "/", {}, std::string(kBody, 'x'), 300); });
  server.accept();
  const auto got = answer.get();
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().timed_out);
  EXPECT_EQ(got.error().delivery, Delivery::unknown);
  // The kernel has all of it, but delivers no more of it.
  EXPECT_LT(server.read(2 * kBody), kBody);
}

}  // namespace
}  // namespace marquee::http
