// Configuration files and environments of any bytes: no crash, a refusal changes nothing, and what loads loads again
// from its own print.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "marquee/base/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string word = "a";
  std::string choice = "x";
  bool flag = false;
  double share = 0.5;
  std::uint64_t count = 1;
  std::uint64_t bytes = 1;
  std::uint64_t ms = 1;
  marquee::config::Schema schema;
  schema.add("word", &word, "A word.");
  schema.add("s.flag", &flag, "A flag.");
  schema.add("s.share", &share, 0, 1, "A share.");
  schema.add("s.count", &count, 1, 10, "A count.");
  schema.add_size("t.u.bytes", &bytes, 1, 1 << 20, "A size.");
  schema.add_duration("t.u.ms", &ms, 1, 1000, "A duration.");
  schema.add_choice("t.choice", &choice, {"x", "y"}, "A choice.");
  const std::string before = schema.print();
  const bool loaded = schema.load_yaml(text, "fuzz.yaml").has_value();
  if (!loaded && schema.print() != before) std::abort();
  if (loaded && !schema.load_yaml(schema.print(), "printed.yaml")) std::abort();
  if (count < 1 || count > 10 || bytes < 1 || ms > 1000 || share < 0 || share > 1) std::abort();
  const std::size_t half = size / 2;
  (void)schema.load_environment({{"MARQUEE_" + std::string(text.substr(0, half)), std::string(text.substr(half))},
                                 {"MARQUEE_S_COUNT", std::string(text)}});
  return 0;
}
