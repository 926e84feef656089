#include "marquee/access/password.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <exception>

#include "marquee/base/logging.h"

namespace marquee::access {
namespace {

constexpr std::size_t kLeastPasswordBytes = 12;
constexpr std::size_t kMostPasswordBytes = 256;

}  // namespace

Result<void> check_password(std::string_view password, std::string_view account) {
  if (password.size() < kLeastPasswordBytes || password.size() > kMostPasswordBytes)
    return Error::reject(fmt::format("password: expected {} to {} bytes; a few words are good", kLeastPasswordBytes,
                                     kMostPasswordBytes));
  if (password == account) return Error::reject("password: the name of the account is the first that is tried");
  if (std::ranges::all_of(password, [&](char c) { return c == password.front(); }))
    return Error::reject("password: expected more than one character again and again");
  return {};
}

Result<std::string> hash_password(const std::string& password, const PasswordCost& cost) {
  if (sodium_init() < 0) return Error::give_up("libsodium does not start");
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, password.data(), password.size(), cost.passes, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Error::retry(fmt::format("there are no {} MiB of memory to hash a password", cost.memory_bytes >> 20));
  return std::string(hash);
}

bool verify_password(const std::string& password, const std::string& hash, const PasswordCost& cost) {
  if (sodium_init() < 0) return false;
  if (hash.empty()) {
    // The same work as for an account that is there.
    unsigned char key[32];
    const unsigned char salt[crypto_pwhash_SALTBYTES] = {};
    std::ignore = crypto_pwhash(key, sizeof key, password.data(), password.size(), salt, cost.passes, cost.memory_bytes,
                                crypto_pwhash_ALG_ARGON2ID13);
    sodium_memzero(key, sizeof key);
    return false;
  }
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool has_other_cost(const std::string& hash, const PasswordCost& cost) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), cost.passes, cost.memory_bytes) != 0;
}

PasswordQueue::PasswordQueue(std::size_t most_waiting) : most_waiting_(most_waiting), thread_([this] { run(); }) {}

PasswordQueue::~PasswordQueue() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool PasswordQueue::submit(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void PasswordQueue::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return;
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      work();
    } catch (const std::exception& e) {
      logging::error("access.password_failed", {{"error", std::string_view(e.what())}});
    }
    work = nullptr;  // What it holds answers, or is let go, outside of the lock.
    lock.lock();
  }
}

}  // namespace marquee::access
