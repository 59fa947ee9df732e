// Linux has this header: what stands in for it is in one place.
#pragma once

#include "octoipc/elsewhere.h"
