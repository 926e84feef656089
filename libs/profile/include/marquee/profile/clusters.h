// Groups of users of like interests, learned from the profiles that there are: spherical k-means (Dhillon, Modha, 2001)
// over what users are interested in, begun by k-means++ (Arthur, Vassilvitskii, 2007).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "marquee/profile/profile.h"

namespace marquee::profile {

struct ClusterOptions {
  std::size_t most = 12;         ///< Clusters.
  std::size_t least_users = 20;  ///< Of the sample in a cluster; smaller ones are none.
  double least_likeness = 0.5;   ///< Cosine of a user's interests and the cluster's; who is less like it is not in it.
  double most_alike = 0.7;       ///< Of two clusters that are more like each other the smaller one goes.
  std::uint64_t seed = 1;
};

/// Immutable; any number of threads may read it. The same profiles in the same order give the same clusters.
class Clusters {
 public:
  /// Without any.
  Clusters() = default;
  Clusters(std::span<const Profile> sample, Seconds now, const ClusterOptions& options);

  /// The one that the user is most like; nullopt for who is like none, or shows no interest. Half a microsecond.
  [[nodiscard]] std::optional<std::size_t> of(const Profile& profile, Seconds now) const;
  [[nodiscard]] std::size_t size() const { return groups_.size(); }

  struct MainTopic {
    TopicKind kind = TopicKind::category;
    Topic topic = 0;
    double weight = 0;  ///< Of a centre of length 1.
  };
  /// Heaviest first.
  [[nodiscard]] const std::vector<MainTopic>& topics(std::size_t cluster) const { return groups_[cluster].topics; }
  /// How many of the sample are in it.
  [[nodiscard]] std::size_t users(std::size_t cluster) const { return groups_[cluster].users; }

 private:
  /// A user's interests as a vector of length 1: place and weight.
  using Vector = std::vector<std::pair<std::uint32_t, float>>;
  struct Group {
    std::vector<float> centre;  ///< By place.
    std::vector<MainTopic> topics;
    std::size_t users = 0;
  };
  struct Nearest {
    std::size_t group = 0;
    float likeness = 0;
  };
  void choose_places(std::span<const Profile> sample, Seconds now);
  [[nodiscard]] Vector vector_of(const Profile& profile, Seconds now) const;
  [[nodiscard]] Nearest nearest(const Vector& vector) const;
  void begin(const std::vector<Vector>& vectors, const ClusterOptions& options);
  bool move_centres(const std::vector<Vector>& vectors, std::vector<std::size_t>& assigned);
  void count_users(const std::vector<Vector>& vectors);
  void finish(const std::vector<Vector>& vectors, const ClusterOptions& options);

  std::unordered_map<std::uint64_t, std::uint32_t> places_;  ///< By kind and topic.
  std::vector<MainTopic> topics_;                            ///< By place.
  std::vector<Group> groups_;
  float least_likeness_ = 0;
};

/// What a topic is called; empty where nobody knows.
using TopicText = std::function<std::string(TopicKind kind, Topic topic)>;

/// A readable name for each: its main topic that has a text, as "law"; one whose name is taken is called by further
/// topics, too, as "law, medicine", and then by a number. A cluster of which no main topic has a text has no name.
[[nodiscard]] std::vector<std::string> names_of(const Clusters& clusters, const TopicText& text);

/// Clusters with their names, in the same order.
struct NamedClusters {
  Clusters clusters;
  std::vector<std::string> names;
};

}  // namespace marquee::profile
