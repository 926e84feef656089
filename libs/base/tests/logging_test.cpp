#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "logging_format.h"

namespace marquee::logging {
namespace {

constexpr WallTime kTime{Millis{1'700'000'000'007}};

std::string json_line(std::string_view event, std::vector<Field> fields) {
  return format_line(false, kTime, Level::warn, event, fields);
}

TEST(Logging, writes_one_json_object_per_line) {
  EXPECT_EQ(json_line("loader.batch_landed", {{"rows", 42}, {"share", 0.5}, {"clean", true}, {"topic", "events"}}),
            "{\"time\":\"2023-11-14T22:13:20.007Z\",\"level\":\"warn\",\"event\":\"loader.batch_landed\","
            "\"rows\":42,\"share\":0.5,\"clean\":true,\"topic\":\"events\"}\n");
}

TEST(Logging, escapes_quotes_backslashes_and_control_characters) {
  EXPECT_NE(json_line("e", {{"a", std::string("q\" b\\ n\n z\0 d\x7f", 14)}})
                .find("\"a\":\"q\\\" b\\\\ n\\n z\\u0000 d\\u007f\""),
            std::string::npos);
}

TEST(Logging, replaces_bytes_that_are_not_utf8) {
  EXPECT_NE(json_line("e", {{"a", "x\xffy \xc3\xa9 \xed\xa0\x80 \xf0\x9f"}})
                .find("\"x\\ufffdy \xc3\xa9 \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\""),
            std::string::npos);
}

TEST(Logging, writes_null_for_numbers_that_json_lacks) {
  EXPECT_NE(json_line("e", {{"a", std::numeric_limits<double>::infinity()}}).find("\"a\":null"), std::string::npos);
}

TEST(Logging, writes_a_line_for_people) {
  EXPECT_EQ(format_line(true, kTime, Level::info, "serve.started",
                        std::vector<Field>{{"address", "127.0.0.1:8080"}, {"why", "a b"}}),
            "2023-11-14T22:13:20.007Z info  serve.started address=127.0.0.1:8080 why=\"a b\"\n");
}

// A YAML reader serves as the JSON reader here: what is written reads back, whatever the bytes, on one line.
RC_GTEST_PROP(Logging, any_text_reads_back_on_one_line, (const std::string& text)) {
  const std::string line = json_line("e", {{"a", text}});
  RC_ASSERT(line.find('\n') == line.size() - 1);
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
  if (ascii) RC_ASSERT(YAML::Load(line)["a"].as<std::string>() == text);
}

TEST(Logging, drops_lines_below_the_level_and_keeps_lines_of_threads_apart) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(pipe_ends[1], STDERR_FILENO);
  configure(Level::warn, false);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 20; ++i) {
          info("dropped");
          warn("kept", {{"thread", t}, {"i", i}});
        }
      });
    }
  }
  configure(Level::info, false);
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(pipe_ends[1]);
  std::string all;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  ::close(pipe_ends[0]);
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < all.size(); ++lines) {
    const std::size_t end = all.find('\n', begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(YAML::Load(all.substr(begin, end - begin))["event"].as<std::string>(), "kept");
    begin = end + 1;
  }
  EXPECT_EQ(lines, 80U);
}

}  // namespace
}  // namespace marquee::logging
