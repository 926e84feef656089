// Which threads may wait when there is less processor than work.
#pragma once

namespace marquee {

/// Has the calling thread, and those that it starts, give way to the threads that somebody waits for: for work that
/// catches up by itself. It must hold no lock for long that those take. Does nothing where the system has no such
/// thing.
void give_way();

}  // namespace marquee
