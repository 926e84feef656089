#include "faults.h"

#include <algorithm>
#include <array>

#include "text.h"

namespace marquee::simulate {
namespace {

struct Fault {
  std::string_view begin;  ///< Up to the session's id, or all but the time.
  bool has_session;
  std::string_view middle;  ///< Up to the time.
  std::string_view end;     ///< After the time.
};

// Every line ends with '}', as a sender's bug would have it: a line cut short would spoil its neighbours' framing.
constexpr std::array<Fault, 8> kFaults = {{
    {R"({"type":click,"session_id":")", true, R"(","seq":1,"event_time":)", "}\n"},
    {R"({"type":"clik","session_id":")", true, R"(","seq":1,"event_time":)",
     R"(,"page_path":"/"})"
     "\n"},
    {R"({"type":"page_view","session_id":")", true, R"(","event_time":)",
     R"(,"page_path":"/exams"})"
     "\n"},
    {R"({"type":"impression","session_id":")", true, R"(","seq":2,"event_time":)",
     R"(,"slot_id":"home-top","position":"top"})"
     "\n"},
    {R"({"type":"page_view","session_id":")", true, R"(","seq":1,"event_time":"at )",
     R"( or so"})"
     "\n"},
    {R"({"type":"scroll","session_id":")", true, R"(","seq":3,"event_time":)",
     R"(,"scroll_depth":12500})"
     "\n"},
    {R"({"type":"impression","session_id":")", true, R"(","seq":2,"event_time":)",
     R"(,"propensity":1.5})"
     "\n"},
    {R"({"type":"click","seq":4)", false, R"(,"event_time":)",
     R"(,"slot_id":"home-feed"})"
     "\n"},
}};

}  // namespace

void append_malformed(Random& random, std::int64_t event_time_ms, std::string& ndjson) {
  const auto& fault = kFaults[random.below(static_cast<std::uint32_t>(kFaults.size()))];
  ndjson += fault.begin;
  if (fault.has_session) append_hex(ndjson, random.next());
  append_member(ndjson, fault.middle, event_time_ms);
  ndjson += fault.end;
}

void RecentLines::keep(std::string_view line) {
  if (lines_.size() < kMost) {
    lines_.emplace_back(line);
    return;
  }
  lines_[oldest_].assign(line);
  oldest_ = (oldest_ + 1) % kMost;
}

void LateLines::keep(std::int64_t due_ms, std::string line) {
  heap_.push_back({due_ms, count_++, std::move(line)});
  std::ranges::push_heap(heap_, std::greater{});
}

std::string LateLines::take(std::int64_t& due_ms) {
  std::ranges::pop_heap(heap_, std::greater{});
  auto first = std::move(heap_.back());
  heap_.pop_back();
  due_ms = first.due_ms;
  return std::move(first.line);
}

}  // namespace marquee::simulate
