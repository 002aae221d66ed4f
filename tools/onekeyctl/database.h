#include "tools/common/database.h"
