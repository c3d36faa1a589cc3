/* SPDX-License-Identifier: MIT
 *
 * show - the broker's status on a terminal or as JSON; see show.h.
 *
 * Place:   daemon.
 */
#include "daemon/show.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/value.h"
#include "wire/address.h"
#include "wire/link.h"

static void json_string(const char *text, size_t length, FILE *output)
{
	(void)fputc('"', output);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '"' || byte == '\\') {
			(void)fprintf(output, "\\%c", byte);
		} else if (byte < 0x20) {
			(void)fprintf(output, "\\u%04x", byte);
		} else {
			(void)fputc(byte, output);
		}
	}
	(void)fputc('"', output);
}

static void show_data(const struct dx_data *data, FILE *output)
{
	const unsigned char *bytes = dx_data_bytes(data);

	for (size_t i = 0; i < dx_data_length(data); i++) {
		(void)fprintf(output, "%02x", bytes[i]);
	}
}

static void show_number(const struct dx_number *number, FILE *output)
{
	if (dx_number_is_real(number)) {
		(void)fprintf(output, "%.17g", dx_number_real(number));
	} else {
		(void)fprintf(output, "%" PRIu64, dx_number_u64(number));
	}
}

static void json_dict(const struct dx_dict *dict, FILE *output)
{
	const char *key = NULL;
	void *member = NULL;

	(void)fputc('{', output);
	for (size_t i = 0; dx_dict_at(dict, i, &key, &member); i++) {
		(void)fputs(i == 0 ? "" : ",", output);
		json_string(key, strlen(key), output);
		(void)fputc(':', output);
		dx_show_json(member, output);
	}
	(void)fputc('}', output);
}

static void json_array(const struct dx_array *array, FILE *output)
{
	(void)fputc('[', output);
	for (size_t i = 0; i < dx_array_count(array); i++) {
		(void)fputs(i == 0 ? "" : ",", output);
		dx_show_json(dx_array_get(array, i), output);
	}
	(void)fputc(']', output);
}

void dx_show_json(const void *value, FILE *output)
{
	if (dx_object_is_kind(value, &dx_dict_class)) {
		json_dict(value, output);
	} else if (dx_object_is_kind(value, &dx_array_class)) {
		json_array(value, output);
	} else if (dx_object_is_kind(value, &dx_string_class)) {
		json_string(dx_string_get(value), dx_string_length(value), output);
	} else if (dx_object_is_kind(value, &dx_number_class)) {
		show_number(value, output);
	} else if (dx_object_is_kind(value, &dx_boolean_class)) {
		(void)fputs(dx_boolean_get(value) ? "true" : "false", output);
	} else {
		(void)fputc('"', output);
		show_data(value, output);
		(void)fputc('"', output);
	}
}

static bool is_container(const void *value)
{
	return dx_object_is_kind(value, &dx_dict_class) ||
	       dx_object_is_kind(value, &dx_array_class);
}

static void text_dict(const struct dx_dict *dict, unsigned indent, FILE *output)
{
	const char *key = NULL;
	void *member = NULL;

	for (size_t i = 0; dx_dict_at(dict, i, &key, &member); i++) {
		(void)fprintf(output, "%*s%s:%s", (int)indent * 2, "", key,
			      is_container(member) ? "\n" : " ");
		dx_show_text(member, indent + 1, output);
	}
}

static void text_array(const struct dx_array *array, unsigned indent, FILE *output)
{
	for (size_t i = 0; i < dx_array_count(array); i++) {
		const void *member = dx_array_get(array, i);

		(void)fprintf(output, "%*s-%s", (int)indent * 2, "",
			      is_container(member) ? "\n" : " ");
		dx_show_text(member, indent + 1, output);
	}
}

void dx_show_text(const void *value, unsigned indent, FILE *output)
{
	if (dx_object_is_kind(value, &dx_dict_class)) {
		text_dict(value, indent, output);
	} else if (dx_object_is_kind(value, &dx_array_class)) {
		text_array(value, indent, output);
	} else if (dx_object_is_kind(value, &dx_string_class)) {
		(void)fprintf(output, "%s\n", dx_string_get(value));
	} else {
		dx_show_json(value, output);
		(void)fputc('\n', output);
	}
}

/* One request, one reply; other messages in between are not for us. */
static int ask(int socket, uint16_t type, uint32_t seq, const void *body, size_t body_length,
	       struct dx_wire_message_in *ret_reply)
{
	int r = dx_link_send(socket, type, seq, 0, body, body_length, NULL, 0, NULL, 0, false);

	while (r >= 0) {
		r = dx_link_receive(socket, false, ret_reply);
		if (r == 0) {
			return -ECONNRESET;
		}
		if (r > 0 && ret_reply->view.header.seq == seq) {
			return 0;
		}
		if (r > 0) {
			dx_wire_message_in_fini(ret_reply);
		}
	}
	return r;
}

static int fetch_status(const char *socket_path, void **ret_value)
{
	const struct dx_wire_hello hello = {.role = DX_WIRE_ROLE_TOOL};
	struct dx_wire_message_in reply;
	DX_CLEANUP_FD int socket = dx_address_connect(socket_path);
	int r = 0;

	if (socket < 0) {
		r = socket;
		socket = -1;
		return r;
	}
	r = ask(socket, DX_WIRE_A_HELLO, 1, &hello, sizeof(hello), &reply);
	if (r < 0) {
		return r;
	}
	dx_wire_message_in_fini(&reply);
	r = ask(socket, DX_WIRE_A_STATUS, 2, NULL, 0, &reply);
	if (r < 0) {
		return r;
	}
	r = reply.view.header.status != 0
		    ? -EREMOTEIO
		    : dx_wire_message_value(&reply, &dx_dict_class, ret_value);
	dx_wire_message_in_fini(&reply);
	return r;
}

int dx_show_status(const char *socket_path, bool json, FILE *output, char *message,
		   size_t message_size)
{
	void *value = NULL;
	int r = fetch_status(socket_path, &value);

	if (r < 0) {
		(void)snprintf(message, message_size, "%s: %s", socket_path,
			       r == -ECONNREFUSED || r == -ENOENT ? "no broker listens here"
								  : strerror(-r));
		return r;
	}
	if (json) {
		dx_show_json(value, output);
		(void)fputc('\n', output);
	} else {
		dx_show_text(value, 0, output);
	}
	dx_object_unref(value);
	return 0;
}
