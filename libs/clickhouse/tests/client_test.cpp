#include "marquee/clickhouse/client.h"

#include <gtest/gtest.h>

#include "marquee/http/server.h"

namespace marquee::clickhouse {
namespace {

/// A server that gives one answer to everything and keeps the last request.
class OneAnswer {
 public:
  explicit OneAnswer(http::Response answer) {
    http::Router router;
    router.add_blocking("POST", "/", [this, answer](const http::Request& request) {
      last = request;
      return answer;
    });
    server_ = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    EXPECT_TRUE(server_->start());
  }
  ~OneAnswer() { server_->stop(0); }
  [[nodiscard]] Endpoint endpoint() const {
    Endpoint endpoint;
    endpoint.url = "http://127.0.0.1:" + std::to_string(server_->port());
    return endpoint;
  }
  http::Request last;

 private:
  std::unique_ptr<http::Server> server_;
};

http::Response error(unsigned status, int code) {
  auto response = http::Response::text(status, "Code: " + std::to_string(code) + ". DB::Exception: no\n");
  response.headers.add("X-ClickHouse-Exception-Code", std::to_string(code));
  return response;
}

TEST(Client, sends_parameters_settings_and_query_id_in_the_address_and_the_statement_in_the_body) {
  OneAnswer server(http::Response::text(200, "1\n"));
  Client client(server.endpoint());
  QueryOptions options;
  options.query_id = "a b";
  options.settings["max_threads"] = "3";
  options.format = "CSV";
  const auto body = client.query("SELECT {x:String}", {{"x", "50 %&="}}, options);
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body, "1\n");
  EXPECT_EQ(server.last.body, "SELECT {x:String}");
  EXPECT_EQ(server.last.query_parameter("param_x"), "50 %&=");
  EXPECT_EQ(server.last.query_parameter("query_id"), "a b");
  EXPECT_EQ(server.last.query_parameter("max_threads"), "3");
  EXPECT_EQ(server.last.query_parameter("default_format"), "CSV");
  EXPECT_EQ(server.last.query_parameter("database"), "marquee");
  EXPECT_EQ(server.last.headers.get("X-ClickHouse-User"), "default");
}

TEST(Client, reads_cells_unescaped_and_keeps_null_apart_from_its_text) {
  const auto table = parse_table("a\tb\nString\tNullable(String)\nx\\ty\\\\\t\\N\n\t\\\\N\n");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table->types, (std::vector<std::string>{"String", "Nullable(String)"}));
  ASSERT_EQ(table->rows.size(), 2U);
  EXPECT_EQ(table->rows[0], (std::vector<std::string>{"x\ty\\", "\\N"}));
  EXPECT_EQ(table->rows[1], (std::vector<std::string>{"", "\\N"}));
}

TEST(Client, refuses_a_table_that_was_cut_off) {
  EXPECT_FALSE(parse_table("a\nString\nx"));
  EXPECT_FALSE(parse_table("a\tb\nString\tString\nx\n"));
}

TEST(Client, says_retry_for_what_may_pass_and_reject_for_what_will_fail_again) {
  const std::map<int, Action> expected = {
      {241, Action::retry}, {252, Action::retry}, {202, Action::retry}, {62, Action::reject}, {117, Action::reject}};
  for (const auto& [code, action] : expected) {
    OneAnswer server(error(500, code));
    Client client(server.endpoint());
    const auto answer = client.query("SELECT 1");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().action, action) << code;
    EXPECT_NE(answer.error().message.find("DB::Exception"), std::string::npos);
  }
}

TEST(Client, sees_an_exception_behind_status_200) {
  OneAnswer server(error(200, 395));
  Client client(server.endpoint());
  EXPECT_FALSE(client.query("SELECT throwIf(1)"));
}

TEST(Client, tells_a_refused_insert_from_one_that_may_have_landed) {
  const std::map<int, bool> may_have_landed = {{60, false}, {516, false}, {202, false}, {241, true}, {252, true}};
  for (const auto& [code, expected] : may_have_landed) {
    OneAnswer server(error(500, code));
    Client client(server.endpoint());
    const auto inserted = client.insert("INSERT INTO t (a)", "Native", "data");
    ASSERT_FALSE(inserted);
    EXPECT_EQ(inserted.error().may_have_landed, expected) << code;
    EXPECT_EQ(inserted.error().code, code);
    EXPECT_EQ(server.last.headers.get("Content-Encoding"), "lz4");
    EXPECT_EQ(server.last.query_parameter("query"), "INSERT INTO t (a) FORMAT Native");
  }
}

TEST(Client, knows_that_nothing_landed_where_nobody_listens) {
  Endpoint endpoint;
  endpoint.url = "http://127.0.0.1:1";
  Client client(endpoint);
  const auto inserted = client.insert("INSERT INTO t (a)", "Native", "data");
  ASSERT_FALSE(inserted);
  EXPECT_FALSE(inserted.error().may_have_landed);
  EXPECT_EQ(inserted.error().error.action, Action::retry);
  EXPECT_FALSE(client.ping());
}

}  // namespace
}  // namespace marquee::clickhouse
