#include "marquee/base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "config_text.h"
#include "marquee/base/nearest.h"

namespace marquee::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Settings {
  std::string dir = "var";
  std::string level = "info";
  std::string token;
  bool open = false;
  std::uint64_t threads = 2;
  double share = 0.01;
  std::uint64_t timeout_ms = 5'000;
  std::uint64_t max_body = 8ULL << 20;

  bool operator==(const Settings&) const = default;
};

Schema schema_of(Settings& s) {
  Schema schema;
  schema.add("data_dir", &s.dir, "Where everything is kept.");
  schema.add_choice("log.level", &s.level, {"debug", "info", "warn"}, "Lowest level written.");
  schema.add("http.token", &s.token, "Admin token.", true);
  schema.add("http.open", &s.open, "Listen to all.");
  schema.add("http.threads", &s.threads, 1, 64, "I/O threads.");
  schema.add("collector.share", &s.share, 0, 1, "Share.");
  schema.add_duration("collector.timeout", &s.timeout_ms, 1, 7ULL * 86'400'000, "Timeout.");
  schema.add_size("collector.max_body", &s.max_body, 1024, 1ULL << 30, "Largest body.");
  return schema;
}

std::string refusal(Schema& schema, std::string_view yaml) {
  const auto result = schema.load_yaml(yaml, "marquee.yaml");
  EXPECT_FALSE(result) << yaml;
  if (result) return {};
  EXPECT_EQ(result.error().action, Action::reject);
  return result.error().message;
}

TEST(Config, reads_every_kind_of_value) {
  Settings s;
  Schema schema = schema_of(s);
  ASSERT_TRUE(
      schema.load_yaml("data_dir: /srv/x\nlog:\n  level: warn\nhttp: {open: true, threads: 8, token: abc}\n"
                       "collector:\n  share: 0.25\n  timeout: 250ms\n  max_body: 64KiB\n",
                       "marquee.yaml"));
  EXPECT_EQ(s, (Settings{"/srv/x", "warn", "abc", true, 8, 0.25, 250, 65'536}));
}

TEST(Config, accepts_an_empty_file_and_an_empty_section_and_dotted_names) {
  Settings s;
  Schema schema = schema_of(s);
  EXPECT_TRUE(schema.load_yaml("", "f"));
  EXPECT_TRUE(schema.load_yaml("# nothing\n", "f"));
  EXPECT_TRUE(schema.load_yaml("http:\n  # threads: 3\n", "f"));
  EXPECT_EQ(s, Settings{});
  EXPECT_TRUE(schema.load_yaml("http.threads: 3\n", "f"));
  EXPECT_EQ(s.threads, 3U);
}

TEST(Config, refuses_an_unknown_key_with_its_line_and_the_nearest_known_one) {
  Settings s;
  Schema schema = schema_of(s);
  EXPECT_THAT(refusal(schema, "data_dir: x\ncollector:\n  max_bdy: 1MiB\n"),
              ::testing::AllOf(HasSubstr("marquee.yaml:3"), HasSubstr("\"collector.max_bdy\""),
                               HasSubstr("\"collector.max_body\"")));
  EXPECT_THAT(refusal(schema, "colector:\n  max_body: 1MiB\n"),
              ::testing::AllOf(HasSubstr("marquee.yaml:1"), HasSubstr("\"collector.max_body\"")));
}

TEST(Config, refuses_values_out_of_bounds_with_their_line_and_bounds) {
  Settings s;
  Schema schema = schema_of(s);
  EXPECT_THAT(refusal(schema, "http:\n  threads: 65\n"),
              ::testing::AllOf(HasSubstr("marquee.yaml:2"), HasSubstr("1 to 64")));
  EXPECT_THAT(refusal(schema, "collector: {max_body: 2GiB}"), HasSubstr("1KiB to 1GiB"));
  EXPECT_THAT(refusal(schema, "collector: {timeout: 8d}"), HasSubstr("1ms to 7d"));
  EXPECT_THAT(refusal(schema, "collector: {timeout: 5}"), HasSubstr("250ms"));
  EXPECT_THAT(refusal(schema, "collector: {share: nan}"), HasSubstr("not a number"));
  EXPECT_THAT(refusal(schema, "log: {level: loud}"), HasSubstr("debug, info, warn"));
}

TEST(Config, changes_nothing_when_one_value_is_wrong) {
  Settings s;
  Schema schema = schema_of(s);
  refusal(schema, "data_dir: elsewhere\nhttp:\n  open: true\n  threads: 0\n");
  EXPECT_EQ(s, Settings{});
  EXPECT_FALSE(schema.load_environment({{"MARQUEE_DATA_DIR", "x"}, {"MARQUEE_HTTP_THREADS", "many"}}));
  EXPECT_EQ(s, Settings{});
  EXPECT_THAT(schema.print(), Not(HasSubstr("marquee.yaml")));
}

TEST(Config, refuses_what_is_not_a_map_of_single_values) {
  Settings s;
  Schema schema = schema_of(s);
  EXPECT_THAT(refusal(schema, "- a\n- b\n"), HasSubstr("must be a map"));
  EXPECT_THAT(refusal(schema, "data_dir: [a]\n"), HasSubstr("single value"));
  EXPECT_THAT(refusal(schema, "data_dir:\n"), HasSubstr("single value"));
  EXPECT_THAT(refusal(schema, "http: 3\n"), HasSubstr("section"));
  EXPECT_THAT(refusal(schema, "data_dir: a\ndata_dir: b\n"), HasSubstr("already set at marquee.yaml:1"));
  EXPECT_THAT(refusal(schema, "data_dir: a\n---\ndata_dir: b\n"), HasSubstr("more than one"));
  EXPECT_THAT(refusal(schema, "a: \"unclosed\nb: c"), HasSubstr("not YAML"));
  EXPECT_THAT(refusal(schema, "\n,"), HasSubstr("marquee.yaml"));
  EXPECT_THAT(refusal(schema, std::string(100'000, '[')), HasSubstr("not YAML"));
}

TEST(Config, applies_the_environment_over_the_file) {
  Settings s;
  Schema schema = schema_of(s);
  ASSERT_TRUE(schema.load_yaml("http:\n  threads: 3\n  open: true\n", "marquee.yaml"));
  ASSERT_TRUE(schema.load_environment(
      {{"MARQUEE_HTTP_THREADS", "4"}, {"MARQUEE_COLLECTOR_MAX_BODY", "1MiB"}, {"HOME", "/"}, {"MARQUEE_URL", "x"}},
      {"MARQUEE_URL"}));
  EXPECT_EQ(s.threads, 4U);
  EXPECT_EQ(s.max_body, 1ULL << 20);
  EXPECT_TRUE(s.open);
}

TEST(Config, refuses_an_unknown_environment_variable_with_the_nearest_known_one) {
  Settings s;
  Schema schema = schema_of(s);
  const auto result = schema.load_environment({{"MARQUEE_HTTP_THREAD", "4"}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("MARQUEE_HTTP_THREADS"));
}

TEST(Config, prints_where_each_value_came_from_and_hides_secrets) {
  Settings s;
  Schema schema = schema_of(s);
  ASSERT_TRUE(schema.load_yaml("http:\n  token: hush\n  threads: 3\n", "marquee.yaml"));
  ASSERT_TRUE(schema.load_environment({{"MARQUEE_LOG_LEVEL", "debug"}}));
  const std::string text = schema.print();
  EXPECT_THAT(text, HasSubstr("  # I/O threads.\n  # 1 to 64. Default: 2. From: marquee.yaml:3.\n  threads: 3\n"));
  EXPECT_THAT(text, HasSubstr("# debug, info, warn. Default: info. From: environment.\n  level: debug\n"));
  EXPECT_THAT(text, HasSubstr("  max_body: 8MiB\n"));
  EXPECT_THAT(text, Not(HasSubstr("hush")));
  EXPECT_THAT(text, HasSubstr("# token: (set)"));
}

RC_GTEST_PROP(Config, what_is_printed_reads_back_as_the_same_configuration, ()) {
  Settings s;
  s.dir = *rc::gen::container<std::string>(rc::gen::inRange('\0', '\x7f'));
  s.open = *rc::gen::arbitrary<bool>();
  s.threads = *rc::gen::inRange<std::uint64_t>(1, 65);
  s.share = *rc::gen::inRange(0, 1'000'000) / 1e6;
  s.timeout_ms = *rc::gen::inRange<std::uint64_t>(1, 7ULL * 86'400'000);
  s.max_body = *rc::gen::inRange<std::uint64_t>(1024, (1ULL << 30) + 1);
  const std::string printed = schema_of(s).print();
  Settings read;
  Schema schema = schema_of(read);
  const auto result = schema.load_yaml(printed, "printed");
  if (!result) RC_FAIL(result.error().message);
  RC_ASSERT(read == s);
}

RC_GTEST_PROP(Config, durations_and_sizes_read_back, (std::uint64_t number)) {
  RC_ASSERT(parse_duration(format_duration(number)).value() == number);
  RC_ASSERT(parse_size(format_size(number)).value() == number);
}

TEST(Config, refuses_durations_and_sizes_that_overflow_or_have_no_unit) {
  const std::string most = std::to_string(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parse_duration(most + "ms").value(), std::numeric_limits<std::uint64_t>::max());
  for (const std::string bad : {"", "5", "-5s", "5 parsecs", "1.5s", "s", "5s ", "99999999999999999999ms"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_FALSE(parse_duration(most + "s"));
  EXPECT_FALSE(parse_size("99999999999TiB"));
  EXPECT_FALSE(parse_size("-1"));
  EXPECT_EQ(parse_size("5MB").value(), 5'000'000U);
  EXPECT_EQ(parse_size("1024").value(), 1024U);
  EXPECT_EQ(parse_size("3 KiB").value(), 3072U);
}

RC_GTEST_PROP(Config, edit_distance_is_a_metric, (const std::string& a, const std::string& b, const std::string& c)) {
  RC_ASSERT((edit_distance(a, b) == 0) == (a == b));
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT(edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c));
}

TEST(Config, edit_distance_counts_single_edits) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

}  // namespace
}  // namespace marquee::config
