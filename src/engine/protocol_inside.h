/* engine/protocol_inside: the words of the protocol, for protocol*.c. */
#ifndef SAKUGA_ENGINE_PROTOCOL_INSIDE_H
#define SAKUGA_ENGINE_PROTOCOL_INSIDE_H

#include "engine/protocol.h"

extern const char *const protocol_orders[ORDER_KINDS], *const protocol_reports[REPORT_KINDS];

#endif
