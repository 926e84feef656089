// ProfileStore: the profiles of all users in memory, bounded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/profile/profiles.h"

namespace marquee::profile {

class Shard;

struct ProfileStoreOptions {
  log::Partition partitions = 1;        ///< Of the log.
  std::size_t capacity = 1'048'576;     ///< Profiles; beyond: those of users unseen for longest go.
  std::uint32_t shards = 16;            ///< About; at least one for each partition.
  std::size_t repeat_window = 262'144;  ///< Events; repeats of older ones count again.
};

struct ProfileStoreState {
  std::size_t profiles = 0;
  std::size_t bytes = 0;  ///< Resident, all told.
  std::uint64_t evicted = 0, erased = 0;
};

/// Thread safe. read() copies out and never waits; events of one partition are to come from one thread, in order.
class ProfileStore final : public Profiles {
 public:
  explicit ProfileStore(ProfileStoreOptions options);
  ~ProfileStore() override;

  [[nodiscard]] std::optional<Profile> read(const Permission& permission) const override;
  /// An event at an offset before next() changes nothing.
  Outcome apply(const Permission& permission, Place place, const event::Event& event, const EventProps& props) override;
  Outcome forget(ProfileId id, Place place) override;

  /// Erases what is known of a user, and takes none of their events before `end` of their partition any more, nor any
  /// that is applied. Gives the offset that counts. One that has a time and is in force already changes nothing.
  log::Offset erase(ProfileId id, ErasedUntil end);
  /// What an earlier erase() gave.
  void keep_erased(ProfileId id, ErasedUntil until);

  [[nodiscard]] log::Partition partition_of(ProfileId id) const;
  /// Everything of the partition before it is applied.
  [[nodiscard]] log::Offset next(log::Partition partition) const;
  /// Everything before `next` has been given to apply(), or need not be.
  void advance(log::Partition partition, log::Offset next);

  [[nodiscard]] ProfileStoreState state() const;
  /// Some `count` profiles of all; whose they are is not told.
  [[nodiscard]] std::vector<Profile> sample(std::size_t count) const;

  /// Writes a snapshot: whole and durable under that name, or not at all. Readers go on; writers of a shard wait while
  /// it is copied. `erasures` is kept with it: how many of a log of erasures (erasure.h) are in force in it.
  [[nodiscard]] Result<void> save(const std::string& path, log::Offset erasures = 0) const;
  /// Into a store that is new, but for keep_erased(). Gives what save() was given; nullopt where there is no such file.
  /// Action::give_up where it is damaged or of a store of other partitions or shards: then make another store.
  [[nodiscard]] Result<std::optional<log::Offset>> load(const std::string& path);

 private:
  [[nodiscard]] Shard& shard_of(ProfileId id) const;

  const ProfileStoreOptions options_;
  std::vector<std::unique_ptr<Shard>> shards_;  ///< A multiple of the partitions, so that each is of one of them.
};

}  // namespace marquee::profile
