#include "marquee/base/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace marquee {
namespace {

std::string json_of_text(std::string_view text) {
  std::string out = ">";
  append_json_string(out, text);
  return out;
}

TEST(JsonText, escapes_what_a_string_may_not_hold_wherever_it_stands) {
  EXPECT_EQ(json_of_text(""), R"(>"")");
  EXPECT_EQ(json_of_text("law & order, /Größe/ 🎓"), R"(>"law & order, /Größe/ 🎓")");
  EXPECT_EQ(json_of_text("\"a\\"), R"(>"\"a\\")");
  EXPECT_EQ(json_of_text("\\\\\"\""), R"(>"\\\\\"\"")");
  EXPECT_EQ(json_of_text(std::string_view("a\0b\n\x1f", 5)), R"(>"a\u0000b\u000a\u001f")");
  EXPECT_EQ(json_of_text("\x7f\xff"), ">\"\x7f\xff\"") << "no control character of JSON's, and no UTF-8: as they are";
}

}  // namespace
}  // namespace marquee
