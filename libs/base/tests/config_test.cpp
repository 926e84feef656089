#include "marquee/base/config.h"

#include <gtest/gtest.h>

namespace marquee::config {
namespace {

struct Example {
  std::string name = "campus";
  std::uint64_t port = 8080;
  std::uint64_t wait_ms = 250;
  std::uint64_t limit = 4 << 20;
  bool is_on = true;
  std::string kind = "local";
  Schema schema;

  Example() {
    schema.add("name", &name, "A name.");
    schema.add("http.port", &port, 1, 65535, "A port.");
    schema.add_duration("http.wait", &wait_ms, 1, 60'000, "A wait.");
    schema.add_size("http.limit", &limit, 1024, 1 << 30, "A limit.");
    schema.add("on", &is_on, "A switch.");
    schema.add_choice("log.kind", &kind, {"local", "kafka"}, "A kind.");
  }
};

TEST(Config, fills_variables_from_nested_yaml) {
  Example e;
  const auto loaded = e.schema.load_yaml("name: moodle\nhttp:\n  port: 9\n  wait: 5s\n  limit: 64KiB\non: false\nlog: {kind: kafka}\n", "m.yaml");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(e.name, "moodle");
  EXPECT_EQ(e.port, 9u);
  EXPECT_EQ(e.wait_ms, 5000u);
  EXPECT_EQ(e.limit, 65536u);
  EXPECT_FALSE(e.is_on);
  EXPECT_EQ(e.kind, "kafka");
}

TEST(Config, refuses_an_unknown_key_with_its_line_and_the_nearest_one) {
  Example e;
  const auto loaded = e.schema.load_yaml("name: a\nhttp:\n  prot: 9\n", "m.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "m.yaml:3: unknown key \"http.prot\"; did you mean \"http.port\"?");
}

TEST(Config, applies_nothing_when_one_value_is_out_of_bounds) {
  Example e;
  ASSERT_FALSE(e.schema.load_yaml("name: moodle\nhttp: {port: 70000}\n", "m.yaml"));
  EXPECT_EQ(e.name, "campus");
  EXPECT_EQ(e.port, 8080u);
}

TEST(Config, refuses_a_duration_without_unit_and_one_that_overflows) {
  Example e;
  EXPECT_FALSE(e.schema.load_yaml("http: {wait: 5}\n", "m"));
  EXPECT_FALSE(e.schema.load_yaml("http: {wait: 99999999999999999999d}\n", "m"));
  EXPECT_FALSE(e.schema.load_yaml("http: {wait: 213503982334602d}\n", "m"));
}

TEST(Config, refuses_broken_yaml_lists_and_repeated_keys) {
  Example e;
  EXPECT_FALSE(e.schema.load_yaml("a: [", "m"));
  EXPECT_FALSE(e.schema.load_yaml("name: [a, b]", "m"));
  EXPECT_FALSE(e.schema.load_yaml("- name", "m"));
  EXPECT_FALSE(e.schema.load_yaml("http.port: 1\nhttp:\n  port: 2\n", "m"));
}

TEST(Config, lets_the_environment_override_and_refuses_unknown_variables) {
  Example e;
  ASSERT_TRUE(e.schema.load_yaml("http: {port: 9}", "m"));
  ASSERT_TRUE(e.schema.load_environment({{"MARQUEE_HTTP_PORT", "10"}, {"HOME", "/"}, {"MARQUEE_CACHE", "x"}}, {"MARQUEE_CACHE"}));
  EXPECT_EQ(e.port, 10u);
  const auto refused = e.schema.load_environment({{"MARQUEE_HTTP_PROT", "10"}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("MARQUEE_HTTP_PORT"), std::string::npos);
}

TEST(Config, prints_what_it_can_read_again) {
  Example e;
  ASSERT_TRUE(e.schema.load_yaml("name: \"a: b # c\"\nhttp: {wait: 1500ms}\n", "m.yaml"));
  Example again;
  const auto loaded = again.schema.load_yaml(e.schema.print(), "printed");
  ASSERT_TRUE(loaded) << loaded.error().message << "\n" << e.schema.print();
  EXPECT_EQ(again.name, e.name);
  EXPECT_EQ(again.wait_ms, 1500u);
}

TEST(Config, does_not_print_secrets) {
  std::string secret = "hunter2";
  Schema schema;
  schema.add("store.password", &secret, "A password.", true);
  EXPECT_EQ(schema.print().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace marquee::config
