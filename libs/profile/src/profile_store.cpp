#include "marquee/profile/profile_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "shard.h"
#include "snapshot_file.h"

namespace marquee::profile {
namespace {

struct Head {
  char mark[8] = {'M', 'Q', 'P', 'R', 'O', 'F', 'L', '2'};
  std::uint32_t partitions = 0, shards = 0;
};

}  // namespace

ProfileStore::ProfileStore(ProfileStoreOptions options) : options_(options) {
  const std::uint32_t each = std::max(options.shards / options.partitions, 1U);
  const std::uint32_t shards = each * options.partitions;
  const ShardOptions of_shard{.capacity = (options.capacity + shards - 1) / shards,
                              .repeat_window = (options.repeat_window + shards - 1) / shards};
  for (std::uint32_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>(of_shard));
}

ProfileStore::~ProfileStore() = default;

Shard& ProfileStore::shard_of(ProfileId id) const { return *shards_[id.value % shards_.size()]; }

log::Partition ProfileStore::partition_of(ProfileId id) const {
  return static_cast<log::Partition>(id.value % options_.partitions);
}

std::optional<Profile> ProfileStore::read(const Permission& permission) const {
  return shard_of(permission.id()).read(permission.id());
}

Outcome ProfileStore::apply(const Permission& permission, Place place, const event::Event& event,
                            const EventProps& props) {
  return shard_of(permission.id()).apply(permission.id(), place.offset, event, props);
}

Outcome ProfileStore::forget(ProfileId id, Place place) { return shard_of(id).forget(id, place.offset); }

log::Offset ProfileStore::erase(ProfileId id, ErasedUntil end) { return shard_of(id).erase(id, end); }

void ProfileStore::keep_erased(ProfileId id, ErasedUntil until) { shard_of(id).keep_erased(id, until); }

// Shard s takes ids of id % shards == s, and so of id % partitions == s % partitions.
log::Offset ProfileStore::next(log::Partition partition) const {
  log::Offset least = UINT64_MAX;
  for (std::size_t s = partition; s < shards_.size(); s += options_.partitions)
    least = std::min(least, shards_[s]->next());
  return least;
}

void ProfileStore::advance(log::Partition partition, log::Offset next) {
  for (std::size_t s = partition; s < shards_.size(); s += options_.partitions) shards_[s]->advance(next);
}

ProfileStoreState ProfileStore::state() const {
  ProfileStoreState state;
  for (const auto& shard : shards_) {
    state.profiles += shard->profiles();
    state.bytes += shard->bytes();
    state.evicted += shard->counts().evicted;
    state.erased += shard->counts().erased;
  }
  return state;
}

std::vector<Profile> ProfileStore::sample(std::size_t count) const {
  std::size_t profiles = 0;
  for (const auto& shard : shards_) profiles += shard->profiles();
  std::vector<Profile> all;
  const std::size_t every = std::max<std::size_t>(profiles / std::max<std::size_t>(count, 1), 1);
  for (const auto& shard : shards_) shard->sample(every, all);
  return all;
}

Result<void> ProfileStore::save(const std::string& path, log::Offset erasures) const {
  auto file = SnapshotWriter::create(path);
  if (!file) return file.error();
  Head head;
  head.partitions = options_.partitions;
  head.shards = static_cast<std::uint32_t>(shards_.size());
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  for (const auto& shard : shards_) {
    shard->save(bytes);
    if (auto written = (*file)->append(bytes); !written) return written;
    bytes.clear();
  }
  bytes.append(reinterpret_cast<const char*>(&erasures), sizeof erasures);
  if (auto written = (*file)->append(bytes); !written) return written;
  return (*file)->commit();
}

Result<std::optional<log::Offset>> ProfileStore::load(const std::string& path) {
  auto file = SnapshotReader::open(path);
  if (!file) return file.error();
  if (!*file) return std::optional<log::Offset>();
  std::string_view bytes = (*file)->bytes();
  Head head;
  const Head expected;
  if (bytes.size() < sizeof head) return Error::give_up(fmt::format("{}: no snapshot of profiles", path));
  std::memcpy(&head, bytes.data(), sizeof head);
  bytes.remove_prefix(sizeof head);
  if (std::memcmp(head.mark, expected.mark, sizeof head.mark) != 0 || head.partitions != options_.partitions ||
      head.shards != shards_.size())
    return Error::give_up(fmt::format("{}: a snapshot of another version, or of {} partitions in {} shards", path,
                                      head.partitions, head.shards));
  for (const auto& shard : shards_)
    if (!shard->load(bytes)) return Error::give_up(fmt::format("{}: is cut off", path));
  log::Offset erasures = 0;
  if (bytes.size() == sizeof erasures) std::memcpy(&erasures, bytes.data(), sizeof erasures);  // Else of before.
  return std::optional(erasures);
}

}  // namespace marquee::profile
