#include "tools/common/columns.h"
