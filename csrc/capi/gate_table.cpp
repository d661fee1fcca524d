#include "gate_table.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace qsim::capi {
namespace {

#include "gate_table.inl"

/// How many characters must be put in, left out or changed to make one text the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

const Gate* find_gate(std::string_view name) {
  const auto found = std::lower_bound(std::begin(kNames), std::end(kNames), name,
                                      [](const Name& record, std::string_view wanted) { return record.name < wanted; });
  return found != std::end(kNames) && found->name == name ? &kGates[found->gate] : nullptr;
}

const Gate& gate(int number) { return kGates[number]; }
const Form& form(int number) { return kForms[number]; }
const Part& part(int number) { return kParts[number]; }
const Entry& entry(int number) { return kEntries[number]; }
const std::int32_t* sources(int first) { return kSources + first; }
const std::int32_t* places(int first) { return kPlaces + first; }
int num_forms() { return int(std::size(kForms)); }

const std::vector<Included>& included() {
  static const std::vector<Included> all(std::begin(kIncluded), std::end(kIncluded));
  return all;
}

std::vector<std::string_view> gate_names() {
  std::vector<std::string_view> names;
  for (const Name& record : kNames) names.emplace_back(record.name);
  return names;
}

std::string hint(std::string_view wanted, const std::vector<std::string_view>& known) {
  if (wanted.size() < 2 || wanted.size() > 40) return "";
  std::string_view best;
  std::size_t least = wanted.size() < 4 ? 2 : 3;  // what is this far away is another name
  for (const std::string_view name : known) {
    const std::size_t steps = name.size() > 40 ? least : distance(wanted, name);
    if (steps < least) {
      least = steps;
      best = name;
    }
  }
  return best.empty() ? "" : " (did you mean `" + std::string(best) + "`?)";
}

}  // namespace qsim::capi
