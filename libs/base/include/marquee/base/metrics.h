// Metrics: prometheus-cpp's registry, and its text form for /metrics.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

namespace marquee::metrics {

using Registry = prometheus::Registry;

/// Prometheus text exposition (version 0.0.4) of everything in `registry`. Thread safe.
[[nodiscard]] std::string render(const Registry& registry);

/// Bucket bounds in seconds, from 0.5 ms to 30 s, for latencies.
[[nodiscard]] prometheus::Histogram::BucketBoundaries latency_buckets();

}  // namespace marquee::metrics
