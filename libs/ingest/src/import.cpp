#include "marquee/ingest/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "import_run.h"
#include "marquee/base/json_text.h"

namespace marquee::ingest {
namespace {

namespace fs = std::filesystem;

std::string without_compression(std::string path) {
  for (const std::string_view ending : {".gz", ".zst"})
    if (path.ends_with(ending)) path.resize(path.size() - ending.size());
  return path;
}

Result<std::unique_ptr<ImportReader>> open_events(const std::string& path, const ImportedFile& file,
                                                  const std::string& store_binary) {
  const auto name = without_compression(path);
  auto source = name.ends_with(".parquet") ? open_parquet(path, store_binary) : open_source(path);
  if (!source) return source.error();
  if (name.ends_with(".csv")) return read_event_csv(std::move(*source), file_id(file));
  return read_event_lines(std::move(*source), file_id(file));
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string grouped(std::uint64_t number) {
  auto text = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

}  // namespace

Result<ImportSummary> import_open_bandit(const std::string& directory, const ImportOptions& options) {
  std::vector<ImportJob> jobs;
  for (const std::string policy : {"random", "bts"}) {
    for (const std::string campaign : {"all", "men", "women"}) {
      const auto stem = (fs::path(directory) / policy / campaign / (campaign + ".csv")).string();
      std::error_code ignored;
      const auto path = fs::exists(stem + ".gz", ignored) ? stem + ".gz" : stem;
      if (!fs::exists(path, ignored)) continue;
      jobs.push_back({policy + "/" + campaign, path, true,
                      [path, policy, campaign](const ImportedFile&) -> Result<std::unique_ptr<ImportReader>> {
                        auto source = open_source(path);
                        if (!source) return source.error();
                        return read_open_bandit(std::move(*source), policy, campaign);
                      }});
    }
  }
  if (jobs.empty())
    return Error::reject(
        fmt::format("{} holds no Open Bandit log: expected random/ or bts/ with all/all.csv, men/men.csv or "
                    "women/women.csv (or .csv.gz)",
                    directory));
  return run_import(jobs, options);
}

Result<ImportSummary> import_moodle(const std::string& file, const ImportOptions& options) {
  const ImportJob job{fs::path(file).filename().string(), file, true,
                      [&file](const ImportedFile&) -> Result<std::unique_ptr<ImportReader>> {
                        auto first = open_source(file);
                        if (!first) return first.error();
                        auto courses = learn_moodle_courses(std::move(*first));
                        if (!courses) return courses.error();
                        auto source = open_source(file);
                        if (!source) return source.error();
                        return read_moodle(std::move(*source), std::move(*courses));
                      }};
  return run_import({job}, options);
}

Result<ImportSummary> import_events(const std::vector<std::string>& files, const ImportOptions& options) {
  std::vector<ImportJob> jobs;
  for (const auto& path : files) {
    const bool is_parquet = path.ends_with(".parquet");
    jobs.push_back({fs::path(path).filename().string(), path, !is_parquet, [path, &options](const ImportedFile& file) {
                      return open_events(path, file, options.store_binary);
                    }});
  }
  return run_import(jobs, options);
}

std::string progress_line(const ImportProgress& progress, std::size_t width) {
  const auto rate = progress.seconds > 0 ? static_cast<double>(progress.rows_sent) / progress.seconds : 0.0;
  auto text = fmt::format("{} rows  {} rows/s", grouped(progress.rows), grouped(static_cast<std::uint64_t>(rate)));
  if (progress.fraction < 0) return text.substr(0, width);
  const auto fraction = std::clamp(progress.fraction, 0.0, 1.0);
  text = fmt::format("{:3.0f} %  {}", fraction * 100, text);
  if (fraction > 0.01 && fraction < 1)
    text += "  " + duration_text(progress.seconds * (1 - fraction) / fraction) + " left";
  if (width < text.size() + 14) return text.substr(0, width);
  const auto cells = std::min<std::size_t>(30, width - text.size() - 4);
  const auto full = static_cast<std::size_t>(fraction * static_cast<double>(cells));
  return fmt::format("[{}{}]  {}", std::string(full, '#'), std::string(cells - full, '.'), text);
}

std::string describe(const ImportSummary& s, bool dry_run) {
  std::string text =
      fmt::format("{} {} events from {} rows of {} file{} in {:.1f} s", dry_run ? "Would accept" : "Accepted",
                  grouped(s.accepted), grouped(s.rows), s.files, s.files == 1 ? "" : "s", s.seconds);
  if (s.rows_before > 0)
    text += fmt::format("; {} rows had been imported before (--restart sends them again)", grouped(s.rows_before));
  text += '\n';
  if (s.requests_repeated > 0) text += fmt::format("{} requests had to be repeated\n", s.requests_repeated);
  if (s.rejected == 0) return text;
  text += fmt::format("Refused {}:\n", grouped(s.rejected));
  for (const auto& refusal : s.refusals) {
    text += fmt::format("  {:>8}  {}\n            first at", grouped(refusal.count), refusal.reason);
    for (const auto& example : refusal.examples) text += " " + example;
    text += '\n';
  }
  return text;
}

std::string to_json(const ImportSummary& s) {
  std::string refusals;
  for (const auto& refusal : s.refusals) {
    std::string examples;
    for (const auto& example : refusal.examples) {
      examples += examples.empty() ? "" : ",";
      append_json_string(examples, example);
    }
    refusals += refusals.empty() ? "" : ",";
    JsonObject(refusals)
        .text("reason", refusal.reason)
        .number("count", static_cast<std::int64_t>(refusal.count))
        .raw("examples", "[" + examples + "]")
        .end();
  }
  std::string out;
  const auto count = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  JsonObject(out)
      .number("files", count(s.files))
      .number("rows", count(s.rows))
      .number("rows_before", count(s.rows_before))
      .number("events", count(s.events))
      .number("accepted", count(s.accepted))
      .number("rejected", count(s.rejected))
      .number("requests_repeated", count(s.requests_repeated))
      .raw("seconds", fmt::format("{:.3f}", s.seconds))
      .raw("refusals", "[" + refusals + "]")
      .end();
  return out;
}

}  // namespace marquee::ingest
