// Statements and trees of any bytes: no crash, and what is found of a statement lies within it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "marquee/engine/failure.h"
#include "marquee/engine/judge.h"
#include "marquee/engine/statement.h"

namespace {

void require_within(std::string_view part, std::string_view whole) {
  if (part.empty() || part == "Values") return;
  if (part.data() < whole.data() || part.data() + part.size() > whole.data() + whole.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const marquee::engine::ReaderPolicy policy({"file", "url"});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto statement = marquee::engine::read_statement(text);
  for (const auto part : {statement.head, statement.format, statement.data, statement.kill_before,
                          statement.kill_condition, statement.kill_after}) {
    require_within(part, text);
  }
  (void)policy.refusal(text);
  (void)marquee::engine::parse_failure(std::string(text));
  return 0;
}
