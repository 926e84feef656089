#include "saved_request.h"

#include <gtest/gtest.h>

namespace marquee::api {
namespace {

TEST(SavedRequest, asks_as_an_address_would) {
  const auto request = request_of(
      "ctr", Json::parse(R"({"site":"campus","by":["a","props.x y"],"limit":5,"filter":["os!=a,b","city=Z&="]})"));
  ASSERT_TRUE(request) << request.error().message;
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"site", "campus"}, {"by", "a,props.x y"}, {"limit", "5"}, {"filter", "os!=a,b"}, {"filter", "city=Z&="}};
  EXPECT_EQ(request->query_parameters(), expected);
}

TEST(SavedRequest, refuses_what_the_report_does_not_take) {
  for (const char* parameters : {R"({"site":"campus","metrics":"ctr"})", R"({"format":"csv"})", R"({"by":{}})",
                                 R"({"by":[1]})", R"({"by":null})"}) {
    const auto request = request_of("ctr", Json::parse(parameters));
    ASSERT_FALSE(request) << parameters;
    EXPECT_EQ(request.error().action, Action::reject);
    EXPECT_TRUE(request.error().message.starts_with("parameters: ")) << request.error().message;
  }
}

}  // namespace
}  // namespace marquee::api
