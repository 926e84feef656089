#include "marquee/clickhouse/client.h"

#include <gtest/gtest.h>

#include "marquee/clickhouse/shards.h"
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

TEST(Client, sends_rows_beside_a_query_as_a_file_whose_boundary_they_do_not_hold) {
  OneAnswer server(http::Response::text(200, "PAR1"));
  Client client(server.endpoint());
  const std::string rows = "[1]\n--marquee--\r\n";
  const auto body =
      client.query_with("SELECT * FROM t", {"t", "`a` UInt8", "JSONCompactEachRow", rows}, {.format = "Parquet"});
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body, "PAR1");
  EXPECT_EQ(server.last.query_parameter("query"), "SELECT * FROM t FORMAT Parquet");
  EXPECT_EQ(server.last.query_parameter("t_structure"), "`a` UInt8");
  EXPECT_EQ(server.last.query_parameter("t_format"), "JSONCompactEachRow");
  EXPECT_EQ(server.last.query_parameter("default_format"), std::nullopt);
  const std::string type(server.last.headers.get("Content-Type"));
  const auto boundary = type.substr(type.find('=') + 1);
  EXPECT_EQ(rows.find(boundary), std::string::npos);
  EXPECT_EQ(server.last.body, "--" + boundary +
                                  "\r\nContent-Disposition: form-data; name=\"t\"; filename=\"t\"\r\n\r\n" + rows +
                                  "\r\n--" + boundary + "--\r\n");
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

TEST(Client, takes_a_gateways_answer_for_no_answer_and_only_the_stores_own_for_a_landed_insert) {
  const auto insert = [](http::Response answer) {
    OneAnswer server(std::move(answer));
    Client client(server.endpoint());
    return client.insert("INSERT INTO t (a)", "Native", "data");
  };
  for (const unsigned status : {500U, 502U, 503U, 504U, 200U, 204U}) {
    const auto inserted = insert(http::Response::text(status, status < 300 ? "" : "upstream reset"));
    ASSERT_FALSE(inserted) << status;
    EXPECT_TRUE(inserted.error().may_still_arrive()) << status;
    EXPECT_EQ(inserted.error().error.action, Action::retry) << status;
  }
  EXPECT_FALSE(insert(http::Response::text(429, "slowly")).error().may_have_landed);
  EXPECT_FALSE(insert(error(500, 241)).error().may_still_arrive());  // The store has ended it.
  auto own = http::Response::text(200, "");
  own.headers.add("X-ClickHouse-Summary", "{}");
  EXPECT_TRUE(insert(own));
}

TEST(Client, goes_to_the_next_replica_only_with_what_was_surely_not_sent) {
  OneAnswer server(http::Response::text(200, "1\n"));
  Endpoint endpoint = server.endpoint();
  endpoint.other_replicas = {endpoint.url};
  endpoint.url = "http://127.0.0.1:1";
  Client client(endpoint);
  EXPECT_EQ(client.replicas(), 2U);
  ASSERT_TRUE(client.query("SELECT 1"));
  EXPECT_EQ(client.replica(), 1U);
  EXPECT_FALSE(client.query("SELECT 1", {}, {.replica = 0}));  // That one and no other.
  EXPECT_EQ(client.replica(), 1U);
}

TEST(Client, leaves_an_insert_that_may_be_on_its_way_to_whoever_knows_how_to_send_it_again) {
  http::Router breaking;
  breaking.add("POST", "/", [](const http::Request&, http::Responder responder) {
    responder.stream(http::Response::text(200, ""))->close(false);
  });
  http::Server broken(http::ServerOptions{}, std::move(breaking));
  ASSERT_TRUE(broken.start());
  auto own = http::Response::text(200, "");
  own.headers.add("X-ClickHouse-Summary", "{}");
  OneAnswer good(own);
  Endpoint endpoint;
  endpoint.url = "http://127.0.0.1:" + std::to_string(broken.port());
  endpoint.other_replicas = {good.endpoint().url};
  Client client(endpoint);
  const auto first = client.insert("INSERT INTO t (a)", "Native", "data");
  ASSERT_FALSE(first);
  EXPECT_TRUE(first.error().may_still_arrive());
  EXPECT_EQ(good.last.body, "");  // The other replica has not seen it.
  EXPECT_TRUE(client.insert("INSERT INTO t (a)", "Native", "data"));
  broken.stop(0);
}

/// What a statement's answer came to, piece by piece.
struct Streamed {
  std::string format, text;
  std::size_t most = 1'000'000;
  AnswerSink sink() {
    return {.begin =
                [this](const http::Headers& fields) {
                  format = fields.get("X-ClickHouse-Format");
                  return format != "unwanted";
                },
            .add =
                [this](std::string_view piece) {
                  text += piece;
                  return text.size() < most;
                }};
  }
};

TEST(Client, gives_an_answer_while_it_comes) {
  auto answer = http::Response::text(200, "1\n2\n");
  answer.headers.add("X-ClickHouse-Format", "CSV");
  answer.headers.add("X-ClickHouse-Summary", "{}");
  OneAnswer server(answer);
  Endpoint endpoint = server.endpoint();
  endpoint.other_replicas = {endpoint.url};
  endpoint.url = "http://127.0.0.1:1";  // What was surely not sent goes to the next one.
  Client client(endpoint);
  Streamed streamed;
  const auto fields = client.stream("SELECT 1", {.query_id = "q"}, streamed.sink());
  ASSERT_TRUE(fields) << fields.error().error.message;
  EXPECT_EQ(streamed.format + streamed.text, "CSV1\n2\n");
  EXPECT_EQ(fields->get("X-ClickHouse-Summary"), "{}");
  EXPECT_EQ(server.last.query_parameter("query_id"), "q");
}

TEST(Client, gives_no_error_for_an_answer) {
  OneAnswer server(error(404, 60));
  Client client(server.endpoint());
  Streamed streamed;
  const auto failed = client.stream("SELECT 1 FROM t", {}, streamed.sink());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, 60);
  EXPECT_EQ(failed.error().error.action, Action::reject);
  EXPECT_FALSE(failed.error().has_begun);
  EXPECT_NE(failed.error().error.message.find("DB::Exception: no"), std::string::npos);
  EXPECT_EQ(streamed.text, "");
}

TEST(Client, stops_an_answer_that_its_taker_wants_no_more_of) {
  auto answer = http::Response::text(200, std::string(1'000'000, 'x'));
  OneAnswer server(answer);
  Client client(server.endpoint());
  Streamed streamed{.format = {}, .text = {}, .most = 10};
  const auto failed = client.stream("SELECT 1", {}, streamed.sink());
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().has_begun);
  EXPECT_EQ(failed.error().code, 0);
  EXPECT_LT(streamed.text.size(), 1'000'000U);

  answer.headers.add("X-ClickHouse-Format", "unwanted");
  OneAnswer other(answer);
  Client of_other(other.endpoint());
  Streamed none;
  ASSERT_FALSE(of_other.stream("SELECT 1", {}, none.sink()));
  EXPECT_EQ(none.text, "");
}

TEST(Shards, are_read_from_the_addresses_of_their_replicas) {
  const auto shards = parse_shards("http://a:1,http://b:2;http://c:3", {.user = "u", .database = "d"});
  ASSERT_TRUE(shards) << shards.error().message;
  ASSERT_EQ(shards->size(), 2U);
  EXPECT_EQ((*shards)[0].url, "http://a:1");
  EXPECT_EQ((*shards)[0].other_replicas, std::vector<std::string>{"http://b:2"});
  EXPECT_EQ((*shards)[1].url, "http://c:3");
  EXPECT_EQ((*shards)[1].user, "u");
  EXPECT_EQ(any_node(*shards).other_replicas, (std::vector<std::string>{"http://b:2", "http://c:3"}));
  for (const char* wrong : {"", "a:1", "http://a:1,", "http://a:1;;http://b:1", "http://a:1, http://b:1"}) {
    EXPECT_FALSE(parse_shards(wrong, {})) << wrong;
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
