#include "progressive_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <random>
#include <thread>

#include "answers.h"
#include "marquee/base/logging.h"

namespace marquee::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostAtOnce = 16;
constexpr double kEventsPerSecond = 30e6;  ///< That a report reads, about: more of them take longer than a second.
constexpr double kSampledEvents = 4e6;     ///< That a sample reads.
constexpr double kLeastFraction = 0.001;
constexpr auto kBetweenSigns = 200ms;

std::string failure(const Error& error) {
  const auto answer = error_answer(error);
  return stream_event("error", answer.body);
}

std::string new_query_id() {
  std::random_device random;
  return fmt::format("report-{:08x}{:08x}", random(), random());
}

}  // namespace

void ProgressiveAnswers::answer(const ReportAnswers::Steps& report, const http::Request& request,
                                http::Responder responder) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || running_ >= kMostAtOnce)
      return responder.send(error_answer(Error::retry("many reports are being counted: ask again in a moment")));
    ++running_;
  }
  auto stream = responder.stream(event_stream_head());
  std::thread([this, report, request, stream] {
    try {
      run(report, request, *stream);
      stream->close();
    } catch (const std::exception& e) {
      logging::error("report.failed", {{"error", std::string_view(e.what())}});
      stream->close(/*clean=*/false);
    }
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }).detach();
}

void ProgressiveAnswers::stop() {
  is_stopping_ = true;
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
}

void ProgressiveAnswers::run(const ReportAnswers::Steps& report, const http::Request& request, http::Stream& stream) {
  auto fraction = ReportAnswers::sample_parameter(request);
  if (!fraction) {
    stream.write(failure(fraction.error()));
    return;
  }
  if (!*fraction) {
    const auto events = (reports_.*report.events)(request);
    if (!events) {
      stream.write(failure(events.error()));
      return;
    }
    const auto count = static_cast<double>(*events);
    if (count > kEventsPerSecond) *fraction = std::max(kSampledEvents / count, kLeastFraction);
  }
  if (*fraction) {
    const auto sample = (reports_.*report.body)(request, {.fraction = *fraction});
    stream.write(sample ? stream_event("sample", json_text(*sample)) : failure(sample.error()));
    if (!sample) return;
  }
  tell_exact(report, request, stream);
}

void ProgressiveAnswers::tell_exact(const ReportAnswers::Steps& report, const http::Request& request,
                                    http::Stream& stream) {
  const auto id = new_query_id();
  auto exact = std::async(std::launch::async, [&] { return (reports_.*report.body)(request, {.query_id = id}); });
  while (exact.wait_for(kBetweenSigns) != std::future_status::ready) {
    if (!is_stopping_ && stream.is_open() && stream.write(": counting\n\n")) continue;
    (void)store_.execute("KILL QUERY WHERE query_id = {id:String} ASYNC", {{"id", id}});
  }
  const auto body = exact.get();
  stream.write(body ? stream_event("exact", json_text(*body)) : failure(body.error()));
}

}  // namespace marquee::api
