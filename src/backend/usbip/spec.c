/* SPDX-License-Identifier: MIT
 *
 * spec - parsing; see spec.h.
 *
 * Place:      backend/usbip.
 */
#include "backend/usbip/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool dx_usbip_accepts(const char *spec)
{
	return strncmp(spec, DX_USBIP_PREFIX, strlen(DX_USBIP_PREFIX)) == 0;
}

static int fail(char *message, size_t message_size, const char *text, size_t length,
		const char *why)
{
	(void)snprintf(message, message_size, "\"%.*s\": %s", (int)(length > 300 ? 300 : length),
		       text, why);
	return -EINVAL;
}

static bool copy_port(const char *text, size_t length, char *port)
{
	unsigned value = 0;

	if (length == 0 || length > 5) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	memcpy(port, text, length);
	port[length] = '\0';
	return value <= UINT16_MAX;
}

static bool host_is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7F || strchr("[]/,\"", text[i]) != NULL) {
			return false;
		}
	}
	return length != 0 && length < DX_USBIP_HOST_BYTES;
}

int dx_usbip_address_parse(const char *text, size_t length, struct dx_usbip_address *ret_address,
			   char *message, size_t message_size)
{
	struct dx_usbip_address address = {.port = "3240"};
	const char *host = text;
	const char *end = text + length;
	const char *host_end = memchr(text, ':', length);

	if (length != 0 && text[0] == '[') {
		host = text + 1;
		host_end = memchr(text, ']', length);
		if (host_end == NULL) {
			return fail(message, message_size, text, length, "']' is missing");
		}
	}
	host_end = host_end == NULL ? end : host_end;
	if (!host_is_plain(host, (size_t)(host_end - host))) {
		return fail(message, message_size, text, length, "this is no host");
	}
	memcpy(address.host, host, (size_t)(host_end - host));
	host_end += host_end != end && *host_end == ']';
	if (host_end != end &&
	    (*host_end != ':' ||
	     !copy_port(host_end + 1, (size_t)(end - host_end) - 1, address.port))) {
		return fail(
			message, message_size, text, length,
			"behind the host a ':' and a port up to 65535 may follow; IPv6 addresses "
			"need brackets");
	}
	*ret_address = address;
	return 0;
}

int dx_usbip_spec_parse(const char *spec, struct dx_usbip_spec *ret_spec, char *message,
			size_t message_size)
{
	const char *text = spec + strlen(DX_USBIP_PREFIX);
	const char *slash = strrchr(text, '/');
	struct dx_usbip_spec parsed = {.busid = ""};
	char line[384] = "";
	bool is_v6 = false;
	int result = 0;

	if (slash == NULL || !dx_usbip_busid_is_good(slash + 1)) {
		(void)snprintf(
			message, message_size,
			"device \"%.300s\": it must look like usbip:HOST[:PORT]/BUSID, with a "
			"bus id of at most %u characters",
			spec, DX_USBIP_BUSID_BYTES - 1);
		return -EINVAL;
	}
	result = dx_usbip_address_parse(text, (size_t)(slash - text), &parsed.address, line,
					sizeof(line));
	if (result < 0) {
		(void)snprintf(message, message_size, "device \"%.300s\": %s", spec, line);
		return result;
	}
	memcpy(parsed.busid, slash + 1, strlen(slash + 1));
	is_v6 = strchr(parsed.address.host, ':') != NULL;
	(void)snprintf(parsed.peer, sizeof(parsed.peer), "%s%s%s:%s", is_v6 ? "[" : "",
		       parsed.address.host, is_v6 ? "]" : "", parsed.address.port);
	*ret_spec = parsed;
	return 0;
}
