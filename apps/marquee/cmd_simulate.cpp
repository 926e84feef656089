// marquee simulate: students who browse, into a running Marquee or a file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>

#include "commands.h"
#include "marquee/base/time.h"
#include "marquee/event/timestamp.h"
#include "marquee/simulate/environment_answers.h"
#include "marquee/simulate/run.h"
#include "sending.h"

namespace marquee::app {
namespace {

// Beyond it the sessions that are open at once need gigabytes. The students then browse faster than people do.
constexpr double kMostLiveEventsPerSecond = 20'000;
constexpr double kLiveEventsPerSecondAtFullSpeed = 10'000;
constexpr std::int64_t kLiveLateByMs = 10'000;

struct SimulateArguments {
  simulate::StreamOptions stream;
  std::optional<std::uint64_t> seed;
  std::uint64_t events = 0;
  std::string duration;
  std::int64_t duration_ms = 0;
  double rate = 50;
  bool has_rate = false;
  std::string start;
  std::string out;
  SendArguments to{.site = "campus"};
  std::uint32_t batch = 2'000;
  bool is_quiet = false;
  std::string environment;
  std::uint32_t visits = 0;
};

int fail_with(std::string message) { return fail(Error::reject(std::move(message))); }

/// "60", "60s", "1.5h": milliseconds.
std::optional<std::int64_t> parse_length(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string_view unit(end);
  const double ms = unit.empty() || unit == "s" ? 1e3
                    : unit == "ms"              ? 1
                    : unit == "m"               ? 6e4
                    : unit == "h"               ? 3.6e6
                    : unit == "d"               ? 8.64e7
                                                : 0;
  if (end == text.c_str() || ms == 0 || !(number > 0) || number * ms < 1 || number * ms > 3.2e12) return std::nullopt;
  return static_cast<std::int64_t>(number * ms);
}

/// Draws over one line of a terminal; says nothing elsewhere, the summary is enough there.
class ProgressLine {
 public:
  void show(const simulate::Summary& summary, bool is_live) {
    if (::isatty(STDERR_FILENO) == 0) return;
    fmt::print(stderr, "\r\033[K{} events{}, {:.0f}/s", summary.events,
               is_live ? fmt::format(", {} accepted", summary.accepted) : "",
               static_cast<double>(summary.events) / summary.seconds);
    std::fflush(stderr);
    is_drawn_ = true;
  }
  void clear() const {
    if (is_drawn_) fmt::print(stderr, "\r\033[K");
  }

 private:
  bool is_drawn_ = false;
};

void print_simulated(std::FILE* to, const simulate::Summary& summary, const SimulateArguments& arguments,
                     bool is_live) {
  const double speed = summary.seconds > 0 ? static_cast<double>(summary.events) / summary.seconds : 0;
  fmt::print(to, "simulate: {} events {} in {:.1f} s, {:.0f} events/s (seed {})\n", summary.events,
             is_live ? "sent" : "written", summary.seconds, speed, arguments.stream.seed);
  if (is_live) {
    fmt::print(to, "  accepted  {}\n  rejected  {}", summary.accepted, summary.rejected);
    std::string separator = " (";
    for (const auto& [field, count] : summary.rejected_fields) {
      fmt::print(to, "{}{}: {}", separator, field.empty() ? "not JSON" : field, count);
      separator = ", ";
    }
    fmt::print(to, "{}\n", summary.rejected_fields.empty() ? "" : ")");
    if (const auto answered = summary.accepted + summary.rejected; answered < summary.events)
      fmt::print(to, "  no answer {} (Marquee may have some of them)\n", summary.events - answered);
    if (summary.resent_requests > 0) fmt::print(to, "  requests sent again  {}\n", summary.resent_requests);
  }
  fmt::print(to, "  repeats   {}\n  late      {}\n  malformed {}\n", summary.repeats, summary.late, summary.malformed);
  std::fflush(to);
}

simulate::RunOptions run_options_of(const SimulateArguments& arguments, ProgressLine& line) {
  simulate::RunOptions options;
  options.events = arguments.events;
  options.duration_ms = arguments.duration_ms;
  options.start_ms = arguments.stream.start_ms;
  options.stop = &stop_on_signal();
  if (!arguments.is_quiet)
    options.on_progress = [&line, is_live = arguments.out.empty()](const simulate::Summary& summary) {
      line.show(summary, is_live);
    };
  return options;
}

int finish(const Result<simulate::Summary>& summary, const SimulateArguments& arguments, const ProgressLine& line) {
  line.clear();
  if (!summary) return fail(summary.error());
  const bool is_live = arguments.out.empty();
  // Of what goes to stdout the summary is no part.
  print_simulated(arguments.out == "-" ? stderr : stdout, *summary, arguments, is_live);
  return summary->failure ? fail(*summary->failure) : 0;
}

int run_live(const App& app, SimulateArguments& arguments) {
  simulate::SendTarget target;
  auto found = send_options(app, arguments.to);
  if (!found) return fail(found.error());
  target.send = std::move(*found);
  target.rate = arguments.rate;
  target.batch_events = arguments.batch;
  arguments.stream.start_ms = SystemClock().now().time_since_epoch().count();
  // The same seed would make the same sessions, which Marquee drops as repeats.
  if (!arguments.seed) arguments.stream.seed = static_cast<std::uint64_t>(arguments.stream.start_ms);
  arguments.stream.late_by_ms = kLiveLateByMs;
  arguments.stream.has_rhythm = false;  // The wall clock and --rate set the pace.
  arguments.stream.events_per_second =
      arguments.rate > 0 ? std::min(arguments.rate, kMostLiveEventsPerSecond) : kLiveEventsPerSecondAtFullSpeed;
  auto stream = simulate::Stream::open(arguments.stream);
  if (!stream) return fail(stream.error());
  ProgressLine line;
  const auto options = run_options_of(arguments, line);
  return finish(simulate::send(*stream, target, options), arguments, line);
}

int run_file(const SimulateArguments& arguments) {
  const bool is_stdout = arguments.out == "-";
  const bool is_parquet = arguments.out.ends_with(".parquet");
  if (!is_stdout && !is_parquet && !arguments.out.ends_with(".ndjson"))
    return fail_with(
        fmt::format("--out {}: expected a name that ends in .ndjson or .parquet, or - for stdout", arguments.out));
  if (!is_stdout && arguments.events == 0 && arguments.duration_ms == 0)
    return fail_with("a file needs an end: give --events or --duration");
  if (is_parquet && arguments.stream.malformed > 0)
    return fail_with("--malformed: such lines have no place in Parquet; write .ndjson");
  auto stream = simulate::Stream::open(arguments.stream);
  if (!stream) return fail(stream.error());
  ProgressLine line;
  const auto options = run_options_of(arguments, line);
  if (is_parquet) {
    return finish(simulate::write_parquet(*stream, arguments.out, store_binary(), options), arguments, line);
  }
  const int descriptor =
      is_stdout ? STDOUT_FILENO : ::open(arguments.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail_with(fmt::format("cannot write {}: {}", arguments.out, std::strerror(errno)));
  auto summary = simulate::write_ndjson(*stream, descriptor, options);
  if (!is_stdout && ::close(descriptor) != 0 && !summary.failure)
    summary.failure = Error::give_up(fmt::format("cannot write {}: {}", arguments.out, std::strerror(errno)));
  return finish(summary, arguments, line);
}

/// Another program plays: its lines on stdin, the answers on stdout.
int run_environment(const SimulateArguments& arguments) {
  const auto* published = simulate::find_environment(arguments.environment);
  if (published == nullptr) {
    std::string names;
    for (const auto& one : simulate::environments()) names += fmt::format("\n  {:<16}{}", one.name, one.about);
    return fail_with(fmt::format("--environment {}: there are{}", arguments.environment, names));
  }
  auto options = *published;
  if (arguments.visits > 0) options.visits = arguments.visits;
  const simulate::Environment environment(options, arguments.seed.value_or(1));
  simulate::EnvironmentAnswers answers(environment);
  std::cout << answers.head() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = answers.answer(line);
    if (!answer) return fail(answer.error());
    std::cout << *answer << std::endl;
  }
  return 0;
}

int run_simulate(const App& app, SimulateArguments& arguments) {
  if (!arguments.environment.empty()) return run_environment(arguments);
  if (arguments.seed) arguments.stream.seed = *arguments.seed;
  if (!arguments.duration.empty()) {
    const auto duration_ms = parse_length(arguments.duration);
    if (!duration_ms)
      return fail_with(
          fmt::format("--duration {}: expected a time as 60 (seconds), 90s, 15m, 2h or 7d", arguments.duration));
    arguments.duration_ms = *duration_ms;
  }
  const bool is_file = !arguments.out.empty();
  if (!arguments.start.empty()) {
    if (!is_file) return fail_with("--start is for files; over HTTP events happen now");
    const auto start_ms = event::parse_timestamp(arguments.start);
    if (!start_ms)
      return fail_with(fmt::format("--start {}: expected an RFC 3339 time as 2026-01-12T00:00:00Z", arguments.start));
    arguments.stream.start_ms = *start_ms;
  }
  if (is_file && arguments.has_rate) arguments.stream.events_per_second = arguments.rate;
  stop_on_signal();
  std::signal(SIGPIPE, SIG_IGN);
  return is_file ? run_file(arguments) : run_live(app, arguments);
}

void add_options(CLI::App& command, SimulateArguments& arguments, CLI::Option*& rate) {
  auto& stream = arguments.stream;
  const auto share = CLI::Range(0.0, 0.99);
  command.add_option("--events", arguments.events, "End after so many events")->check(CLI::PositiveNumber);
  command.add_option("--duration", arguments.duration,
                     "End after so long (60, 90s, 15m, 2h, 7d): of wall time over HTTP, of event_time in files");
  rate = command.add_option(
      "--rate", arguments.rate,
      "Events per second (default 50). Over HTTP by the wall clock; 0: as fast as Marquee takes them. In files by "
      "event_time, averaged over a week; 0 or none: what the students make (1.5 sessions each a day)");
  rate->check(CLI::Range(0.0, 10'000'000.0));
  command.add_option("--seed", arguments.seed,
                     "The same seed gives the same events (default: 1 in files; over HTTP the clock, since Marquee "
                     "drops sessions that it has seen)");
  command.add_option("--colleges", stream.colleges, "Colleges; the n-th has 1/n of the first one's students")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--students", stream.students, "Students")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command
      .add_option("--late", stream.late,
                  "Share of events that arrive late: by ten seconds over HTTP, ten minutes in files, on average")
      ->check(share);
  command.add_option("--repeat", stream.repeat, "Share of events that are sent once more")->check(share);
  command.add_option("--malformed", stream.malformed, "Share of events that must be refused")->check(share);
  command.add_option("--out", arguments.out,
                     "File to write instead: .ndjson, .parquet (through marquee-store), or - for NDJSON on stdout");
  command.add_option("--start", arguments.start,
                     "Time of the first event in a file, RFC 3339 (default: 2026-01-12T00:00:00Z)");
  command.add_option("--site", arguments.to.site, "Site whose write key to use (HTTP)")->capture_default_str();
  command.add_option("--url", arguments.to.url, "Marquee to send to (default: the one that runs on this machine)")
      ->envname("MARQUEE_URL");
  command.add_option("--key", arguments.to.key, "Write key of the site (default: that of the running Marquee)")
      ->envname("MARQUEE_WRITE_KEY");
  command.add_option("--batch", arguments.batch, "Most events per request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--in-flight", arguments.to.in_flight, "Requests at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_flag("--quiet", arguments.is_quiet, "Show no progress");
  command.add_option(
      "--environment", arguments.environment,
      "A world whose truth is known, for a program that tries policies in it: lines of JSON on stdin and "
      "stdout (libs/simulate); an unknown name lists them");
  command.add_option("--visits", arguments.visits, "Visits in the environment's week, in place of its own number")
      ->check(CLI::Range(100, 10'000'000));
}

}  // namespace

void add_simulate_command(CLI::App& root, App& app) {
  auto* command =
      root.add_subcommand("simulate", "Let seeded students browse: into a running Marquee, or a file; Ctrl-C ends it");
  auto arguments = std::make_shared<SimulateArguments>();
  CLI::Option* rate = nullptr;
  add_options(*command, *arguments, rate);
  command->footer(
      "Examples:\n"
      "  marquee simulate --rate 500 --duration 60s\n"
      "  marquee simulate --rate 0 --events 1000000 --repeat 0.01 --late 0.02 --malformed 0.001\n"
      "  marquee simulate --out week.ndjson --duration 7d --seed 7 --students 50000\n"
      "  marquee simulate --out exams.parquet --start 2026-05-04T00:00:00+05:30 --duration 1d\n"
      "  marquee simulate --out - --events 1000 | jq -r .type | sort | uniq -c");
  command->callback([&app, arguments, rate] {
    arguments->has_rate = rate->count() > 0;
    app.exit_code = run_simulate(app, *arguments);
  });
}

}  // namespace marquee::app
