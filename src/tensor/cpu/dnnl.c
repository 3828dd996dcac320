#include "tensor/cpu/cpu.h"
