/* SPDX-License-Identifier: MIT
 *
 * connect - reach a running broker, report failures. See connect.h.
 */
#include "connect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/address.h"

#define SETTLE_NS UINT64_C(10000000000)

int dx_connect(const struct dx_tool *tool, struct dx_control *ret_broker)
{
	struct dx_control broker = DX_CONTROL_INIT;
	char fallback[256] = "the default address";
	const char *address = tool->socket;
	int result = 0;

	if (address == NULL && dx_address_default(fallback, sizeof(fallback)) == 0) {
		address = fallback;
	}
	result = dx_control_open(&broker, address);
	if (result == -ENOENT || result == -ECONNREFUSED) {
		return dx_tool_fail(tool, DX_TOOL_NO_BROKER,
				    "%s: no broker listens there (start dextd, or use 'dext run')",
				    address == NULL ? fallback : address);
	}
	if (result < 0) {
		return dx_tool_fail(tool, DX_TOOL_NO_BROKER, "%s: %s",
				    address == NULL ? fallback : address,
				    dx_control_reason(&broker, result));
	}
	*ret_broker = broker;
	return DX_TOOL_OK;
}

void dx_connect_settle(const struct dx_tool *tool, struct dx_control *broker)
{
	int result = dx_control_wait_quiet(broker, SETTLE_NS);

	if (result == -EREMOTEIO) { /* the time is over; a broker that went away has done its work */
		dx_tool_say(tool, "drivers are still starting; 'dext list' shows when they run");
	}
}

int dx_connect_failed(const struct dx_tool *tool, const struct dx_control *broker, int error,
		      const char *format, ...)
{
	char what[600];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return dx_tool_fail(tool, error == -ECONNRESET ? DX_TOOL_NO_BROKER : DX_TOOL_FAILED,
			    "%s: %s", what, dx_control_reason(broker, error));
}
