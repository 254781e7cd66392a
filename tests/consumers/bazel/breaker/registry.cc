#include "breaker/registry.h"

namespace bakery {

void BreakerRegistry::Add(const std::string& name) { names_.insert(name); }

bool BreakerRegistry::Has(const std::string& name) const {
  return names_.count(name) > 0;
}

}  // namespace bakery
