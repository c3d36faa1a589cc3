/* SPDX-License-Identifier: MIT
 *
 * spec - see spec.h.
 *
 * Place:      backend/libusb.
 */
#include "backend/libusb/spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PREFIX	      "usb:"
#define PREFIX_LENGTH 4u
#define MAX_VALUE     256u

struct parser {
	const char *spec;
	const char *at;
	char *message;
	size_t message_size;
	bool has_configuration;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct parser *parser,
						       const char *format, ...)
{
	char why[160];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	(void)snprintf(parser->message, parser->message_size, "device \"%.80s\": %s", parser->spec,
		       why);
	return -EINVAL;
}

/* Digits up to the first other character. @return how many, 0: none or the number is over max. */
static size_t read_number(const char *text, unsigned base, unsigned max, unsigned *ret_value)
{
	unsigned value = 0;
	size_t length = 0;

	for (;; length++) {
		char c = text[length];
		unsigned digit = c >= '0' && c <= '9'	? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
							: base;
		if (digit >= base) {
			break;
		}
		value = value * base + digit;
		if (value > max) {
			return 0;
		}
	}
	*ret_value = value;
	return length;
}

/* @return how many characters belong to it; 0: it is none. */
static size_t read_port(const char *text, struct dx_libusb_port *ret_port)
{
	struct dx_libusb_port port = {0};
	unsigned value = 0;
	size_t at = read_number(text, 10, UINT16_MAX, &value);

	if (at == 0 || value == 0 || text[at] != '-') {
		return 0;
	}
	port.bus = (uint16_t)value;
	do {
		size_t digits = read_number(text + at + 1, 10, UINT8_MAX, &value);

		if (digits == 0 || value == 0 || port.nr_ports == DX_LIBUSB_MAX_PORTS) {
			return 0;
		}
		port.ports[port.nr_ports++] = (uint8_t)value;
		at += 1 + digits;
	} while (text[at] == '.');
	*ret_port = port;
	return at;
}

bool dx_libusb_port_parse(const char *text, struct dx_libusb_port *ret_port)
{
	struct dx_libusb_port port;
	size_t length = read_port(text, &port);

	if (length == 0 || text[length] != '\0') {
		return false;
	}
	*ret_port = port;
	return true;
}

void dx_libusb_port_format(const struct dx_libusb_port *port, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%u", port->bus);

	for (unsigned i = 0; i < port->nr_ports && used < size; i++) {
		used += (size_t)snprintf(text + used, size - used, "%c%u", i == 0 ? '-' : '.',
					 port->ports[i]);
	}
}

bool dx_libusb_port_equal(const struct dx_libusb_port *a, const struct dx_libusb_port *b)
{
	return a->bus == b->bus && a->nr_ports == b->nr_ports &&
	       memcmp(a->ports, b->ports, a->nr_ports) == 0;
}

uint32_t dx_libusb_port_location(const struct dx_libusb_port *port)
{
	uint32_t location = (uint32_t)(port->bus & 0xff) << 24;

	for (unsigned i = 0; i < port->nr_ports && i < 6; i++) {
		location |= (uint32_t)(port->ports[i] & 0xf) << (20 - 4 * i);
	}
	return location;
}

bool dx_libusb_spec_accepts(const char *spec)
{
	return strncmp(spec, PREFIX, PREFIX_LENGTH) == 0;
}

/* Copies up to the next comma; a backslash takes the next character literally. */
static int read_value(struct parser *parser, char *value, size_t size)
{
	size_t length = 0;

	while (*parser->at != '\0' && *parser->at != ',') {
		if (*parser->at == '\\' && parser->at[1] != '\0') {
			parser->at++;
		}
		if (length + 1 == size) {
			return fail(parser, "a value is longer than %zu bytes", size - 1);
		}
		value[length++] = *parser->at++;
	}
	value[length] = '\0';
	return 0;
}

static int read_key(struct parser *parser, char *key, size_t size)
{
	size_t length = strcspn(parser->at, "=,");
	int shown = (int)strcspn(parser->at, ",");

	if (length == 0 || length >= size || parser->at[length] != '=') {
		return fail(parser, "\"%.*s\": not key=value",
			    shown < 40 ? shown : 40, parser->at);
	}
	memcpy(key, parser->at, length);
	key[length] = '\0';
	parser->at += length + 1;
	return 0;
}

static int set_serial(const struct parser *parser, struct dx_libusb_spec *spec, const char *value)
{
	if (spec->serial[0] != '\0') {
		return fail(parser, "serial: given twice");
	}
	if (value[0] == '\0' || strlen(value) >= sizeof(spec->serial)) {
		return fail(parser, "serial: empty, or longer than %zu bytes",
			    sizeof(spec->serial) - 1);
	}
	memcpy(spec->serial, value, strlen(value) + 1);
	return 0;
}

static int set_port(const struct parser *parser, struct dx_libusb_spec *spec, const char *value)
{
	if (spec->port.bus != 0) {
		return fail(parser, "port: given twice");
	}
	if (!dx_libusb_port_parse(value, &spec->port)) {
		return fail(parser, "port=%.40s: not BUS-PORT[.PORT]..., as in 1-2.4", value);
	}
	return 0;
}

static int set_configuration(struct parser *parser, struct dx_libusb_spec *spec, const char *value)
{
	unsigned number = 0;
	size_t length = read_number(value, 10, UINT8_MAX, &number);

	if (parser->has_configuration) {
		return fail(parser, "configuration: given twice");
	}
	if (length == 0 || value[length] != '\0' || number == 0) {
		return fail(parser, "configuration=%.40s: not a number from 1 to 255", value);
	}
	parser->has_configuration = true;
	spec->configuration = (uint16_t)number;
	return 0;
}

static int read_option(struct parser *parser, struct dx_libusb_spec *spec)
{
	char key[32];
	char value[MAX_VALUE];
	int result = read_key(parser, key, sizeof(key));

	if (result == 0) {
		result = read_value(parser, value, sizeof(value));
	}
	if (result < 0) {
		return result;
	}
	if (strcmp(key, "serial") == 0) {
		return set_serial(parser, spec, value);
	}
	if (strcmp(key, "port") == 0) {
		return set_port(parser, spec, value);
	}
	if (strcmp(key, "configuration") == 0) {
		return set_configuration(parser, spec, value);
	}
	return fail(parser, "%s: unknown key (there are serial, port, configuration)", key);
}

static bool read_ids(struct parser *parser, struct dx_libusb_spec *spec)
{
	unsigned vendor = 0;
	unsigned product = 0;
	size_t first = read_number(parser->at, 16, UINT16_MAX, &vendor);
	size_t second = 0;

	if (first == 0 || first > 4 || parser->at[first] != ':') {
		return false;
	}
	second = read_number(parser->at + first + 1, 16, UINT16_MAX, &product);
	if (second == 0 || second > 4) {
		return false;
	}
	spec->has_ids = true;
	spec->id_vendor = (uint16_t)vendor;
	spec->id_product = (uint16_t)product;
	parser->at += first + 1 + second;
	return true;
}

int dx_libusb_spec_parse(const char *text, struct dx_libusb_spec *ret_spec, char *message,
			 size_t message_size)
{
	struct parser parser = {
		.spec = text,
		.message = message,
		.message_size = message_size,
	};
	struct dx_libusb_spec spec = {0};

	if (!dx_libusb_spec_accepts(text)) {
		return fail(&parser, "does not begin with usb:");
	}
	parser.at = text + PREFIX_LENGTH;
	if (!read_ids(&parser, &spec)) {
		parser.at += read_port(parser.at, &spec.port);
	}
	if ((!spec.has_ids && spec.port.bus == 0) || (*parser.at != '\0' && *parser.at != ',')) {
		return fail(&parser, "neither usb:VID:PID (hexadecimal, as in usb:0525:a4a0) nor "
				     "usb:BUS-PORT (as in usb:1-2.4)");
	}
	while (*parser.at == ',') {
		int result = 0;

		parser.at++;
		result = read_option(&parser, &spec);
		if (result < 0) {
			return result;
		}
	}
	*ret_spec = spec;
	return 0;
}
