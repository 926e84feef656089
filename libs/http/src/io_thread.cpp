#include "io_thread.h"

#include <boost/asio/post.hpp>

#include "connection.h"
#include "marquee/base/logging.h"

namespace marquee::http {
namespace {

thread_local bool on_io_thread = false;

}  // namespace

IoThread::IoThread(std::chrono::milliseconds sweep_interval)
    : guard_(context_.get_executor()), sweep_(context_), sweep_interval_(sweep_interval) {}

IoThread::~IoThread() {
  if (thread_.joinable()) join();
}

void IoThread::start() {
  sweep_later();
  thread_ = std::thread([this] { run(); });
}

void IoThread::join() {
  boost::asio::post(context_, [this] {
    // A sweep that is due already is not cancelled by it.
    is_ending_ = true;
    sweep_.cancel();
  });
  guard_.reset();
  if (thread_.joinable()) thread_.join();
  std::vector<Parcel> late;
  {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
    late.swap(waiting_);
  }
  // The loop has ended: what came too late goes to closed connections, which let its writers know.
  for (Parcel& parcel : late) {
    const auto connection = parcel.to;
    connection->take(std::move(parcel));
  }
}

bool IoThread::is_io_thread() { return on_io_thread; }

void IoThread::run() {
  on_io_thread = true;
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& e) {
      logging::error("http.io_thread", {{"error", std::string_view(e.what())}});
    }
  }
}

bool IoThread::send(Parcel parcel) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (!is_open_) return false;
    is_first = waiting_.empty();
    waiting_.push_back(std::move(parcel));
  }
  if (is_first) boost::asio::post(context_, [this] { deliver(); });
  return true;
}

void IoThread::deliver() {
  {
    const std::lock_guard lock(mutex_);
    delivering_.swap(waiting_);
  }
  for (Parcel& parcel : delivering_) {
    const auto connection = std::move(parcel.to);
    connection->take(std::move(parcel));
  }
  delivering_.clear();
}

IoThread::Connections::iterator IoThread::enter(std::shared_ptr<Connection> connection) {
  return connections_.insert(connections_.end(), std::move(connection));
}

void IoThread::leave(Connections::iterator place) { connections_.erase(place); }

void IoThread::sweep_later() {
  // One timer for all connections: a deadline costs a connection no more than storing it.
  sweep_.expires_after(sweep_interval_);
  sweep_.async_wait([this](const boost::system::error_code& ec) {
    if (ec || is_ending_) return;
    const auto now = std::chrono::steady_clock::now();
    each_connection([now](Connection& connection) { connection.check_deadline(now); });
    sweep_later();
  });
}

}  // namespace marquee::http
