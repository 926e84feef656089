// The registry's client, against a server of our own that counts and fails; a real registry is in
// tests/e2e/test_feeds.py.
#include "schema_registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "decoder.h"
#include "marquee/http/server.h"

namespace marquee::feed {
namespace {

using namespace std::string_literals;

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    http::Router router;
    router.add("GET", "/{path*}", [this](const http::Request& request, http::Responder responder) {
      ++asked;
      authorization = request.headers.get("Authorization");
      if (status != 200) return responder.send(http::Response::text(status, "no"));
      const auto found = answers.find(request.path);
      responder.send(found == answers.end() ? http::Response::json(404, R"({"error_code":40403})")
                                            : http::Response::json(200, found->second));
    });
    http::ServerOptions listening;
    listening.address = "127.0.0.1";
    listening.port = 0;
    server = std::make_unique<http::Server>(std::move(listening), std::move(router));
    ASSERT_TRUE(server->start());
    options.url = fmt::format("http://127.0.0.1:{}/apis", server->port());
  }
  void TearDown() override { server->stop(); }
  [[nodiscard]] std::unique_ptr<Decoder> decoder(Format format) const {
    return make_decoder(format, std::make_shared<SchemaRegistry>(options));
  }
  static std::string decode(const Decoder& decoder, const std::string& bytes) {
    std::string json;
    const auto done = decoder.decode(bytes, json);
    return done ? json : done.error().message;
  }

  std::map<std::string, std::string> answers;
  std::atomic<unsigned> status{200};
  std::atomic<int> asked{0};
  std::string authorization;
  RegistryOptions options;
  std::unique_ptr<http::Server> server;
};

TEST_F(RegistryTest, is_asked_once_for_each_schema) {
  answers["/apis/schemas/ids/1"] = R"({"schema":"\"string\""})";
  answers["/apis/schemas/ids/258"] = R"({"schema":"\"int\"","schemaType":"AVRO"})";
  options.user = "me";
  options.password = "pass";
  const auto avro = decoder(Format::avro);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(decode(*avro, "\0\0\0\0\1\2x"s), "\"x\"");
    EXPECT_EQ(decode(*avro, "\0\0\0\1\2\2"s), "1");
  }
  EXPECT_EQ(asked, 2);
  answers["/apis/schemas/ids/3"] = R"({"schema":"\"nothing\""})";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(decode(*avro, "\0\0\0\0\3"s), "the schema names a type that it does not have: \"nothing\"");
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(authorization, "Basic bWU6cGFzcw==");
}

TEST_F(RegistryTest, is_waited_for_while_it_is_away_and_refuses_only_what_it_does_not_have) {
  const auto avro = decoder(Format::avro);
  std::string json;
  for (const unsigned away : {500U, 503U, 401U, 429U}) {
    status = away;
    EXPECT_EQ(avro->decode("\0\0\0\0\1\2x"s, json).error().action, Action::retry) << away;
  }
  status = 200;
  const auto unknown = avro->decode("\0\0\0\0\1\2x"s, json);
  EXPECT_EQ(unknown.error().action, Action::reject);
  EXPECT_EQ(unknown.error().message, fmt::format("schema 1: the schema registry {} does not have it", options.url));
  answers["/apis/schemas/ids/1"] = R"({"schema":"\"int\""})";  // Registered just after.
  EXPECT_EQ(decode(*avro, "\0\0\0\0\1\2"s), "1");
  answers["/apis/schemas/ids/2"] = R"({"schema":"\"string\""})";
  EXPECT_EQ(decode(*avro, "\0\0\0\0\2\2x"s), "\"x\"");
  server->stop();
  EXPECT_EQ(avro->decode("\0\0\0\0\3\2x"s, json).error().action, Action::retry);
  EXPECT_EQ(decode(*avro, "\0\0\0\0\2\2x"s), "\"x\"");  // What is known needs no registry.
}

TEST_F(RegistryTest, gives_a_schema_with_all_that_it_refers_to) {
  answers["/apis/schemas/ids/5"] =
      R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; import \"b.proto\"; import \"a.proto\"; message M { B b = 1; A a = 2; }",
          "references":[{"name":"b.proto","subject":"b s","version":2},{"name":"a.proto","subject":"a","version":1}]})";
  answers["/apis/subjects/b s/versions/2"] =
      R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; import \"a.proto\"; message B { A a = 1; }",
          "references":[{"name":"a.proto","subject":"a","version":1}]})";
  answers["/apis/subjects/a/versions/1"] =
      R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message A { int32 n = 1; }",
          "references":[{"name":"b.proto","subject":"b s","version":2}]})";  // A circle, which is none here.
  EXPECT_EQ(decode(*decoder(Format::protobuf), "\0\0\0\0\5\0\x0a\4\x0a\2\x08\7\x12\2\x08\x09"s),
            R"({"b":{"a":{"n":7}},"a":{"n":9}})");
  EXPECT_EQ(decode(*decoder(Format::avro), "\0\0\0\0\5\0"s), "its schema is of type PROTOBUF, not AVRO");
  answers["/apis/schemas/ids/6"] =
      R"({"schema":"\"x.Id\"","references":[{"name":"x.Id","subject":"gone","version":1}]})";
  EXPECT_EQ(decode(*decoder(Format::avro), "\0\0\0\0\6\0"s),
            fmt::format("reference x.Id (version 1 of gone): the schema registry {} does not have it", options.url));
}

}  // namespace
}  // namespace marquee::feed
