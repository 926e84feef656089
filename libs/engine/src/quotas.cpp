#include "quotas.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace marquee::engine {
namespace {

/// Of everything but the queries, which count before they run.
struct Resource {
  std::string_view name;
  std::uint64_t QuotaLimits::* amount;
};
constexpr std::array kResources = {Resource{"errors", &QuotaLimits::errors},
                                   Resource{"result_rows", &QuotaLimits::result_rows},
                                   Resource{"result_bytes", &QuotaLimits::result_bytes},
                                   Resource{"read_rows", &QuotaLimits::read_rows},
                                   Resource{"read_bytes", &QuotaLimits::read_bytes},
                                   Resource{"execution_time", &QuotaLimits::execution_seconds}};

std::unexpected<Failure> exceeded(const User& user, const QuotaLimits& quota, std::string_view resource,
                                  std::uint64_t used, std::uint64_t most, Quotas::Clock::time_point begin) {
  const auto end = std::chrono::time_point_cast<std::chrono::seconds>(begin + quota.interval);
  return std::unexpected(
      failure(kQuotaExceeded, "QUOTA_EXCEEDED",
              fmt::format("Quota for user `{}` for {}s has been exceeded: {} = {}/{}. Interval will end at "
                          "{:%Y-%m-%d %H:%M:%S}. Name of quota template: `{}`",
                          user.name, quota.interval.count(), resource, used, most, end, user.name)));
}

}  // namespace

Quotas::Used& Quotas::of(const User& user, std::size_t quota, Clock::time_point now) {
  Used& used = used_[{user.name, quota}];
  const auto since = now.time_since_epoch() % user.quotas[quota].interval;
  if (const auto begin = now - since; begin != used.interval_begin) used = {.interval_begin = begin, .sum = {}};
  return used;
}

Answer<> Quotas::begin(const User& user, Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < user.quotas.size(); ++i) {
    const QuotaLimits& quota = user.quotas[i];
    Used& used = of(user, i, now);
    ++used.sum.queries;
    if (quota.queries > 0 && used.sum.queries > quota.queries) {
      return exceeded(user, quota, "queries", used.sum.queries, quota.queries, used.interval_begin);
    }
    for (const Resource& resource : kResources) {
      const std::uint64_t most = quota.*resource.amount;
      const std::uint64_t spent = used.sum.*resource.amount;
      if (most > 0 && spent > most) return exceeded(user, quota, resource.name, spent, most, used.interval_begin);
    }
  }
  return {};
}

void Quotas::end(const User& user, const Progress& used, bool failed, Clock::time_point now) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < user.quotas.size(); ++i) {
    Used& all = of(user, i, now);
    all.sum.errors += failed ? 1 : 0;
    all.sum.result_rows += used.result_rows;
    all.sum.result_bytes += used.result_bytes;
    all.sum.read_rows += used.read_rows;
    all.sum.read_bytes += used.read_bytes;
    all.execution_ns += used.elapsed_ns;
    // A second that has begun counts as one, so that "more than N seconds" holds.
    all.sum.execution_seconds = (all.execution_ns + kSecond - 1) / kSecond;
  }
}

}  // namespace marquee::engine
