// What Prometheus sees of notices.
#pragma once

#include <array>

#include "marquee/base/metrics.h"
#include "marquee/notify/notifier.h"

namespace marquee::notify {

class Notifier::Figures {
 public:
  explicit Figures(metrics::Registry& registry);
  void tried(catalog::NoticeSource source) { tries_[static_cast<std::size_t>(source)]->Increment(); }
  /// `late`: after the time that it was due.
  void sent(catalog::NoticeSource source, Millis late);
  void failed(catalog::NoticeSource source) { failed_[static_cast<std::size_t>(source)]->Increment(); }

 private:
  using Counters = std::array<prometheus::Counter*, 2>;  ///< By NoticeSource.
  Counters tries_{}, sent_{}, failed_{};
  prometheus::Histogram* late_ = nullptr;
};

}  // namespace marquee::notify
