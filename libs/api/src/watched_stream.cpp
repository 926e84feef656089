#include "watched_stream.h"

#include <utility>

namespace marquee::api {
namespace {

class WatchedStream final : public http::Stream {
 public:
  WatchedStream(std::shared_ptr<http::Stream> stream, std::function<bool()> goes_on)
      : stream_(std::move(stream)), goes_on_(std::move(goes_on)) {}

  bool write(std::string chunk) override {
    if (goes_on_()) return stream_->write(std::move(chunk));
    stream_->close();
    return false;
  }
  void close(bool clean) override { stream_->close(clean); }
  [[nodiscard]] bool is_open() const override { return stream_->is_open(); }

 private:
  const std::shared_ptr<http::Stream> stream_;
  const std::function<bool()> goes_on_;
};

}  // namespace

std::shared_ptr<http::Stream> watched(std::shared_ptr<http::Stream> stream, std::function<bool()> goes_on) {
  return std::make_shared<WatchedStream>(std::move(stream), std::move(goes_on));
}

}  // namespace marquee::api
