#include "spill_lane.h"

#include <algorithm>

namespace marquee::log {

using State = SpillPart::State;

void SpillRequest::note(const Result<void>& result) {
  if (!result) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = result.error();
  }
  if (left_.fetch_sub(1) != 1) return;
  done_(error_ ? Result<void>(*error_) : Result<void>());
}

void SpillLane::start(std::uint64_t waiting, std::size_t max_held_bytes) {
  const std::lock_guard lock(mutex_);
  waiting_ = waiting;
  max_held_bytes_ = max_held_bytes;
}

SpillLane::Way SpillLane::add(const Part& part, bool is_barred) {
  const std::lock_guard lock(mutex_);
  if ((waiting_ > 0 || is_barred) && !holds_) {
    part->state = State::spilled;
    waiting_ += part->records;
    return Way::near;
  }
  const bool is_held = waiting_ > 0;
  part->state = is_held ? State::held : State::given;
  part->place = under_way_.insert(under_way_.end(), part);
  if (!is_held) return Way::far;
  held_bytes_ += part->bytes;
  if (held_bytes_ > max_held_bytes_) is_due_ = true;
  return Way::held;
}

bool SpillLane::answer(const Part& part, const Result<void>& result) {
  const std::lock_guard lock(mutex_);
  if (part->state == State::given) {
    if (!result && result.error().action == Action::retry) {
      part->state = State::failed;
      is_due_ = true;
      return false;
    }
    part->state = State::over;
    under_way_.erase(part->place);
    return true;
  }
  const auto ticket = tickets_.find(part->ticket);
  if (ticket == tickets_.end()) return false;
  if (result)
    ticket->second.given = Given::kept;
  else
    tickets_.erase(ticket);
  return false;
}

void SpillLane::refuse(const Part& part) {
  const std::lock_guard lock(mutex_);
  waiting_ -= part->records;
  tickets_.erase(part->ticket);
}

bool SpillLane::is_due(Time now) const {
  const std::lock_guard lock(mutex_);
  return !under_way_.empty() && (is_due_ || under_way_.front()->deadline <= now);
}

std::vector<SpillLane::Part> SpillLane::spill(std::atomic<std::uint64_t>& next_ticket) {
  const std::lock_guard lock(mutex_);
  std::vector<Part> parts(under_way_.begin(), under_way_.end());
  under_way_.clear();
  for (const Part& part : parts) {
    waiting_ += part->records;
    if (part->state == State::given) {
      part->ticket = next_ticket++;
      tickets_.emplace(part->ticket, Ticket{Given::pending, part->records});
    }
    part->state = State::spilled;
  }
  held_bytes_ = 0;
  holds_ = false;
  is_due_ = false;
  return parts;
}

std::vector<SpillLane::Part> SpillLane::release() {
  const std::lock_guard lock(mutex_);
  std::vector<Part> parts;
  if (waiting_ > 0 || !holds_) return parts;
  for (const Part& part : under_way_) {
    if (part->state != State::held) continue;
    part->state = State::given;
    parts.push_back(part);
  }
  held_bytes_ = 0;
  holds_ = false;
  return parts;
}

SpillLane::Given SpillLane::given(std::uint64_t ticket) const {
  if (ticket == 0) return Given::never;
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(ticket);
  return found == tickets_.end() ? Given::never : found->second.given;
}

void SpillLane::forget(std::uint64_t ticket, std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return;
  found->second.records -= std::min(records, found->second.records);
  if (found->second.records == 0) tickets_.erase(found);
}

void SpillLane::drained(std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  waiting_ -= records;
}

void SpillLane::hold() {
  const std::lock_guard lock(mutex_);
  holds_ = true;
}

void SpillLane::stop_holding() {
  const std::lock_guard lock(mutex_);
  is_due_ = is_due_ || !under_way_.empty();
  holds_ = false;
}

std::uint64_t SpillLane::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

bool SpillLane::is_idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_ == 0 && under_way_.empty();
}

}  // namespace marquee::log
