#include "marquee/base/signals.h"

#include <pthread.h>

namespace marquee {

sigset_t block_ending_signals() {
  sigset_t endings;
  sigemptyset(&endings);
  sigaddset(&endings, SIGTERM);
  sigaddset(&endings, SIGINT);
  pthread_sigmask(SIG_BLOCK, &endings, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return endings;
}

}  // namespace marquee
