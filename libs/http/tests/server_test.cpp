#include "marquee/http/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "marquee/http/client.h"

namespace marquee::http {
namespace {

using boost::asio::ip::tcp;

/// A connection that sends exactly what it is told to.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : socket_(context_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  }
  void send(std::string_view bytes) {
    boost::system::error_code ec;
    boost::asio::write(socket_, boost::asio::buffer(bytes), ec);
  }
  /// Reads until the peer closes.
  std::string read_all() {
    std::string out;
    boost::system::error_code ec;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(out), ec);
    return out;
  }
  std::string read(std::size_t bytes) {
    std::string out(bytes, '\0');
    boost::system::error_code ec;
    out.resize(boost::asio::read(socket_, boost::asio::buffer(out), ec));
    return out;
  }
  void half_close() { socket_.shutdown(tcp::socket::shutdown_send); }

 private:
  boost::asio::io_context context_;
  tcp::socket socket_;
};

class ServerTest : public ::testing::Test {
 protected:
  void start() {
    Router router;
    router.add("GET", "/hello", [](Request, Responder responder) { responder.send(Response::text(200, "hello")); });
    router.add("POST", "/echo", [](Request request, Responder responder) {
      responder.send(Response::text(200, std::move(request.body)));
    });
    router.add("GET", "/told", [this](Request, Responder responder) {
      responder.send(Response::text(200, std::string(std::size_t{32} << 20, 'x')), [this] { ++written; });
    });
    router.add("GET", "/dropped", [](Request, Responder) {});
    router.add("GET", "/thrown", [](Request, Responder) { throw std::runtime_error("no"); });
    router.add_blocking("GET", "/slow", [](const Request& request) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(request.query_parameter("ms").value_or("10"))));
      return Response::text(200, "slow");
    });
    router.add("GET", "/sites/{site}/{kind}", [](Request request, Responder responder) {
      responder.send(Response::text(
          200, std::string(request.path_parameter("site")) + ":" + std::string(request.path_parameter("kind"))));
    });
    router.add("GET", "/files/{rest*}", [](Request request, Responder responder) {
      responder.send(Response::text(200, std::string(request.path_parameter("rest"))));
    });
    router.add("GET", "/stream", [this](Request, Responder responder) {
      const std::lock_guard lock(mutex);
      streams.push_back(responder.stream(Response::text(200, "")));
    });
    router.add("GET", "/held", [this](Request, Responder responder) {
      responder.on_client_gone([this] { ++gone; });
      const std::lock_guard lock(mutex);
      held.push_back(std::move(responder));
    });
    server = std::make_unique<Server>(options, std::move(router));
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().message;
    client = std::make_unique<Client>("http://127.0.0.1:" + std::to_string(server->port()));
  }

  Response get(std::string_view target) {
    auto response = client->send("GET", target, {}, "");
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : Response{};
  }

  std::shared_ptr<Stream> stream_opened() {
    for (;;) {
      {
        const std::lock_guard lock(mutex);
        if (!streams.empty()) return streams.back();
      }
      std::this_thread::yield();
    }
  }

  ServerOptions options;
  std::mutex mutex;
  Responder request_held() {
    for (;;) {
      {
        const std::lock_guard lock(mutex);
        if (!held.empty()) {
          Responder responder = std::move(held.back());
          held.pop_back();
          return responder;
        }
      }
      std::this_thread::yield();
    }
  }

  std::atomic<int> gone = 0, written = 0;
  std::vector<Responder> held;
  std::vector<std::shared_ptr<Stream>> streams;
  std::unique_ptr<Server> server;
  std::unique_ptr<Client> client;
};

TEST_F(ServerTest, says_once_that_an_answer_is_written_whole) {
  start();
  RawConnection raw(server->port());
  raw.send("GET /told HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(raw.read(100).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(written, 0) << "most of it fits into no socket";
  raw.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(raw.read_all().ends_with("hello"));
  EXPECT_EQ(written, 1);
}

TEST_F(ServerTest, routes_by_method_and_path) {
  start();
  EXPECT_EQ(get("/hello").body, "hello");
  EXPECT_EQ(get("/sites/a%2Fb/ads?x=1").status, 404U);  // Decoded before it is split.
  EXPECT_EQ(get("/sites/campus/ads").body, "campus:ads");
  EXPECT_EQ(get("/files/a/b/c.js").body, "a/b/c.js");
  EXPECT_EQ(get("/nothing").status, 404U);
  const auto wrong = client->send("DELETE", "/hello", {}, "");
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->status, 405U);
  EXPECT_NE(wrong->headers.get("Allow").find("GET"), std::string_view::npos);
}

TEST_F(ServerTest, answers_500_where_a_handler_does_not) {
  start();
  EXPECT_EQ(get("/dropped").status, 500U);
  EXPECT_EQ(get("/thrown").status, 500U);
  EXPECT_EQ(get("/hello").status, 200U);
}

TEST_F(ServerTest, takes_bodies_by_length_and_by_chunks) {
  start();
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(client->send("POST", "/echo", {}, large)->body, large);
  RawConnection raw(server->port());
  raw.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(raw.read_all().ends_with("\r\n\r\nabcde"));
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
  start();
  RawConnection raw(server->port());
  raw.send("GET /slow?ms=50 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto answers = raw.read_all();
  EXPECT_LT(answers.find("slow"), answers.find("hello"));
  EXPECT_TRUE(answers.ends_with("hello"));
}

TEST_F(ServerTest, reads_a_request_that_comes_byte_by_byte) {
  start();
  RawConnection raw(server->port());
  for (const char c :
       std::string_view("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")) {
    raw.send(std::string_view(&c, 1));
  }
  EXPECT_TRUE(raw.read_all().ends_with("\r\n\r\nabc"));
}

TEST_F(ServerTest, reads_chunks_that_come_byte_by_byte) {
  start();
  for (const char* chunks :
       {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "1\r\na\r\n2;x=\"y\"\r\nbc\r\n0;e\r\nTrailer: 1\r\n\r\n"}) {
    RawConnection raw(server->port());
    raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    for (const char c : std::string_view(chunks)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // So that each arrives by itself.
      raw.send(std::string_view(&c, 1));
    }
    const auto answer = raw.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << chunks << answer;
    EXPECT_TRUE(answer.ends_with(chunks[0] == '0' ? "\r\n\r\n" : "\r\n\r\nabc")) << chunks << answer;
  }
}

TEST_F(ServerTest, gives_a_head_without_a_body) {
  start();
  RawConnection raw(server->port());
  raw.send("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto head = raw.read_all();
  EXPECT_NE(head.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, asks_for_the_body_that_waits_to_be_asked_for) {
  start();
  RawConnection raw(server->port());
  raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(raw.read(25), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("ab");
  EXPECT_TRUE(raw.read_all().ends_with("\r\n\r\nab"));
}

TEST_F(ServerTest, refuses_what_is_too_large) {
  options.max_body_bytes = 1000;
  options.max_header_bytes = 2000;
  options.max_body_for = [](std::string_view path) { return path == "/echo" ? std::size_t{5000} : std::size_t{1000}; };
  start();
  EXPECT_EQ(client->send("POST", "/echo", {}, std::string(5000, 'x'))->status, 200U);
  EXPECT_EQ(client->send("POST", "/echo", {}, std::string(5001, 'x'))->status, 413U);
  EXPECT_EQ(client->send("POST", "/hello", {}, std::string(1001, 'x'))->status, 413U);
  Headers headers;
  headers.add("X-Long", std::string(4000, 'x'));
  EXPECT_EQ(client->send("GET", "/hello", headers, "")->status, 431U);
  RawConnection chunked(server->port());
  chunked.send("POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffe\r\n" +
               std::string(2000, 'x'));
  EXPECT_TRUE(chunked.read_all().starts_with("HTTP/1.1 413"));
}

TEST_F(ServerTest, refuses_what_smuggles_and_what_is_no_http) {
  start();
  for (const char* request : {
           "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
           "GET /hello HTTP/1.1\r\n\r\n",
           "GET hello HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET /hello HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n",
           "\x16\x03\x01 hello\r\n\r\n",
       }) {
    RawConnection raw(server->port());
    raw.send(request);
    EXPECT_TRUE(raw.read_all().starts_with("HTTP/1.1 400")) << request;
  }
}

TEST_F(ServerTest, closes_slow_and_silent_clients) {
  options.idle_timeout_ms = 100;
  options.read_timeout_ms = 100;
  start();
  RawConnection silent(server->port());
  EXPECT_EQ(silent.read_all(), "");
  RawConnection slow(server->port());
  slow.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(slow.read_all().starts_with("HTTP/1.1 408"));
}

TEST_F(ServerTest, refuses_connections_beyond_its_limit) {
  options.max_connections = 2;
  start();
  RawConnection first(server->port());
  RawConnection second(server->port());
  first.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  second.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(first.read(12), "HTTP/1.1 200");
  EXPECT_EQ(second.read(12), "HTTP/1.1 200");
  RawConnection third(server->port());
  third.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = third.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503"));
  EXPECT_NE(answer.find("Retry-After:"), std::string::npos);
}

TEST_F(ServerTest, streams_from_another_thread) {
  start();
  std::string received;
  std::thread reader([&] {
    const auto response = client->send_streaming("GET", "/stream", {}, "", [&](std::string_view data) {
      received += data;
      return true;
    });
    EXPECT_TRUE(response);
  });
  const auto stream = stream_opened();
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string chunk(static_cast<std::size_t>(i) * 10 + 1, static_cast<char>('a' + i % 26));
    expected += chunk;
    EXPECT_TRUE(stream->write(std::move(chunk)));
  }
  stream->close();
  reader.join();
  EXPECT_TRUE(received == expected);
}

TEST_F(ServerTest, sends_the_begin_of_a_head_before_the_answer_is_known) {
  start();
  for (const bool streams_body : {false, true}) {
    RawConnection raw(server->port());
    raw.send("GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    Responder responder = request_held();
    Response first;
    first.headers.add("A", "1");
    responder.begin(first);
    EXPECT_EQ(raw.read(12), "HTTP/1.1 200");
    Headers more;
    more.add("B", "2");
    more.add("Bad", "x\r\nC: 3");
    responder.add_fields(more);
    Response rest = Response::text(404, streams_body ? "" : "body");
    if (streams_body) {
      const auto stream = responder.stream(std::move(rest));
      stream->write("body");
      stream->close();
    } else {
      responder.send(std::move(rest));
    }
    const auto answer = raw.read_all();
    EXPECT_NE(answer.find("\r\nA: 1\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\r\nB: 2\r\n"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("C: 3"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("HTTP/1.1"), std::string::npos) << "a second head: " << answer;
    EXPECT_TRUE(answer.ends_with(streams_body ? "4\r\nbody\r\n0\r\n\r\n" : "\r\n\r\nbody")) << answer;
  }
}

TEST_F(ServerTest, tells_at_once_that_a_client_has_left) {
  start();
  {
    RawConnection raw(server->port());
    raw.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    static_cast<void>(request_held());  // Its answer is out, so it is told of nothing.
    EXPECT_EQ(raw.read(12), "HTTP/1.1 500");
  }
  std::vector<Responder> waiting;
  {
    RawConnection raw(server->port());
    raw.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    waiting.push_back(request_held());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(gone, 0) << "the next request is no end";
  }
  while (gone == 0) std::this_thread::yield();
  EXPECT_EQ(gone, 1);
}

TEST_F(ServerTest, tells_a_stream_that_broke_from_one_that_ended) {
  start();
  std::thread breaker([&] {
    const auto stream = stream_opened();
    stream->write("half");
    stream->close(false);
  });
  const auto response = client->send("GET", "/stream", {}, "");
  breaker.join();
  EXPECT_FALSE(response);
}

TEST_F(ServerTest, tells_a_stream_that_its_client_left) {
  start();
  {
    RawConnection raw(server->port());
    raw.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    (void)stream_opened();
    (void)raw.read(12);
  }
  const auto stream = stream_opened();
  bool is_open = true;
  for (int i = 0; i < 1000 && is_open; ++i) {
    is_open = stream->write(std::string(64 << 10, 'x'));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // The reset comes by itself.
  }
  EXPECT_FALSE(is_open);
  EXPECT_FALSE(stream->is_open());
}

TEST_F(ServerTest, names_a_port_that_is_taken) {
  start();
  ServerOptions same;
  same.port = server->port();
  Server second(same, Router());
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().action, Action::give_up);
  EXPECT_NE(started.error().message.find(std::to_string(same.port)), std::string::npos);
}

TEST_F(ServerTest, ends_what_is_running_before_it_stops) {
  start();
  std::atomic<unsigned> status = 0;
  std::thread asking([&] {
    if (const auto response = client->send("GET", "/slow?ms=200", {}, "")) status = response->status;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // So that it is under way.
  server->stop();
  asking.join();
  EXPECT_EQ(status, 200U);
  EXPECT_FALSE(client->send("GET", "/hello", {}, ""));
}

TEST_F(ServerTest, serves_many_at_once) {
  start();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string body(static_cast<std::size_t>(t) * 1000 + static_cast<std::size_t>(i), 'x');
        if (const auto response = client->send("POST", "/echo", {}, body); response && response->body == body) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 1600);
}

// ---- The client

TEST_F(ServerTest, client_replaces_a_connection_that_was_closed_while_pooled) {
  options.idle_timeout_ms = 100;
  start();
  EXPECT_EQ(get("/hello").status, 200U);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // The server closes it meanwhile.
  EXPECT_EQ(get("/hello").status, 200U);
}

TEST_F(ServerTest, client_says_what_is_known_of_a_request_that_failed) {
  start();
  const auto timed_out = client->send("GET", "/slow?ms=500", {}, "", 50);
  ASSERT_FALSE(timed_out);
  EXPECT_TRUE(timed_out.error().timed_out);
  EXPECT_EQ(timed_out.error().delivery, Delivery::unknown);
  server->stop();
  Client fresh("http://127.0.0.1:" + std::to_string(server->port()));
  const auto refused = fresh.send("GET", "/hello", {}, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().delivery, Delivery::not_sent);
}

TEST_F(ServerTest, client_stops_a_stream_when_told) {
  start();
  std::thread writer([&] {
    const auto stream = stream_opened();
    while (stream->write("tick\n")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  int pieces = 0;
  (void)client->send_streaming("GET", "/stream", {}, "", [&](std::string_view) { return ++pieces < 3; });
  EXPECT_EQ(pieces, 3);
  client.reset();
  server->stop(0);
  writer.join();
}

TEST(Guard, stands_before_every_handler_and_tells_it_who_asks) {
  std::atomic<int> handled = 0;
  Router router;
  const auto answer = [&](const Request& request) {
    ++handled;
    return Response::text(200, request.actor);
  };
  router.add("GET", "/io", [&](Request request, Responder responder) { responder.send(answer(request)); });
  router.add_blocking("POST", "/worker/{id}", answer);
  std::vector<std::string> seen;
  router.set_guard([&](const Router::Route& route, Request& request) -> std::optional<Response> {
    seen.push_back(route.method + " " + route.pattern + " " + request.method);
    if (request.headers.get("X-Name") == "broken") throw std::runtime_error("no");
    if (!request.headers.has("X-Name")) return Response::text(401, "who?");
    request.actor = request.headers.get("X-Name");
    return std::nullopt;
  });
  Server server(ServerOptions(), std::move(router));
  ASSERT_TRUE(server.start());
  Client client("http://127.0.0.1:" + std::to_string(server.port()));
  Headers named, broken;
  named.add("X-Name", "priya");
  broken.add("X-Name", "broken");
  EXPECT_EQ(client.send("GET", "/io", {}, "")->status, 401);
  EXPECT_EQ(client.send("POST", "/worker/1", {}, "")->status, 401);
  EXPECT_EQ(client.send("HEAD", "/io", {}, "")->status, 401);
  EXPECT_EQ(client.send("GET", "/io", broken, "")->status, 500) << "a guard that fails lets nobody through";
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(client.send("GET", "/io", named, "")->body, "priya");
  EXPECT_EQ(client.send("POST", "/worker/1", named, "")->body, "priya");
  EXPECT_EQ(client.send("GET", "/nowhere", {}, "")->status, 404) << "what has no route has nothing to guard";
  server.stop();
  EXPECT_EQ(seen.at(2), "GET /io HEAD");
  EXPECT_EQ(seen.size(), 6);
}

}  // namespace
}  // namespace marquee::http
