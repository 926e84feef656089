// bench_profile_memory [profiles] [directory]: makes so many profiles (a million) of simulated students' events, and
// says what the process's resident memory grew by, and how long a snapshot of them takes to save and to load.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "marquee/event/parser.h"
#include "marquee/profile/profile_store.h"
#include "marquee/simulate/stream.h"

namespace {

using namespace marquee;
using Steady = std::chrono::steady_clock;

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double seconds_since(Steady::time_point began) { return std::chrono::duration<double>(Steady::now() - began).count(); }

/// Whether a line is one of the first events of its visit. A line begins with type and seq.
bool is_early(std::string_view line) {
  constexpr unsigned kFirst = 10;
  constexpr std::string_view kSeq = "\"seq\":";
  const std::size_t at = line.find(kSeq);
  return at != line.npos && std::strtoul(line.data() + at + kSeq.size(), nullptr, 10) <= kFirst;
}

/// Applies the first events of visits (a profile is as large with all of them, and a million takes much longer) until
/// there are so many profiles, and gives the number of events.
std::uint64_t fill(profile::ProfileStore& store, std::size_t profiles, std::uint32_t students) {
  simulate::StreamOptions options;
  options.students = students;
  auto stream = simulate::Stream::open(options);
  event::Parser parser;
  event::Context context;
  context.site_id = "campus";
  context.trusted = true;
  context.max_age_ms = 0;
  profile::PropsReader reader;
  std::string ndjson;
  std::uint64_t events = 0;
  while (store.state().profiles < profiles) {
    ndjson.clear();
    for (int i = 0; i < 10'000; ++i) {
      const std::size_t begin = ndjson.size();
      context.received_time_ms = stream->next(ndjson).time_ms;
      if (!is_early(std::string_view(ndjson).substr(begin))) ndjson.resize(begin);
    }
    (void)parser.parse(ndjson, context, [&](const event::Event& parsed) {
      // Simulated students have no age, and many no consent: here all who are logged in are adults and agree.
      event::Event event = parsed;
      event.consent = event::Consent::full;
      event.props = R"({"age":20,"category":"science"})";
      profile::observe(store, reader, {0, ++events}, event);
    });
  }
  return events;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t profiles = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::string directory = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  const std::size_t before = resident_bytes();
  profile::ProfileStore store({.partitions = 4});
  const auto began = Steady::now();
  // Many more than are wanted: not all are ever named.
  const std::uint64_t events = fill(store, profiles, static_cast<std::uint32_t>(profiles * 10));
  const double filled_s = seconds_since(began);
  const std::size_t grown = resident_bytes() - before;
  const auto state = store.state();
  fmt::print("{} profiles of {} events in {:.0f} s; the store counts {} bytes, {} evicted\n", state.profiles, events,
             filled_s, state.bytes, state.evicted);
  fmt::print("FIGURE profile_resident_mb {:.1f}\n", static_cast<double>(grown) / 1e6);
  fmt::print("FIGURE profile_resident_bytes {:.1f}\n",
             static_cast<double>(grown) / static_cast<double>(state.profiles));

  const std::string path = directory + "/bench-profile-snapshot";
  const auto save_began = Steady::now();
  if (const auto saved = store.save(path); !saved) {
    fmt::print(stderr, "{}\n", saved.error().message);
    return 1;
  }
  fmt::print("FIGURE profile_snapshot_save_s {:.2f}\n", seconds_since(save_began));
  profile::ProfileStore loaded({.partitions = 4});
  const auto load_began = Steady::now();
  const auto is_loaded = loaded.load(path);
  fmt::print("FIGURE profile_snapshot_load_s {:.2f}\n", seconds_since(load_began));
  std::filesystem::remove(path);
  return is_loaded && *is_loaded && loaded.state().profiles == state.profiles ? 0 : 1;
}
