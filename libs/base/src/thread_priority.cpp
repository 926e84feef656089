#include "marquee/base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace marquee {

void give_way() {
  constexpr int kNice = 10;
  // Linux has it per thread, against POSIX.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
}

}  // namespace marquee
