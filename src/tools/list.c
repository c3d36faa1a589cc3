/* SPDX-License-Identifier: MIT
 *
 * list - `dext list`: services, bundles, devices, hosts and clients of a broker.
 *
 * Place:   tools. Services come from the registry tree; the other sections are shown as the broker
 *          gives them: an array of dictionaries each, the keys of the first being the columns.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "commands.h"
#include "connect.h"
#include "json.h"
#include "terminal.h"
#include "wire/wire.h"

static const char *const sections[] = {"services", "bundles", "devices", "hosts", "clients"};

static void print_title(const char *title)
{
	static bool is_next;

	(void)printf("%s%s%s%s\n", is_next ? "\n" : "", dx_terminal_style(stdout, DX_STYLE_BOLD),
		     title, dx_terminal_style(stdout, DX_STYLE_PLAIN));
	is_next = true;
}

/* "3 5 8"; what does not fit is left out. */
static int add_numbers(struct dx_table *table, const struct dx_array *array)
{
	char text[128] = "-";
	size_t length = 0;

	for (size_t i = 0; i < dx_array_count(array) && length < sizeof(text) - 24; i++) {
		const void *number = dx_array_get(array, i);

		if (dx_object_is_kind(number, &dx_number_class)) {
			length +=
				(size_t)snprintf(text + length, sizeof(text) - length, "%s%" PRIu64,
						 length == 0 ? "" : " ", dx_number_u64(number));
		}
	}
	return dx_table_cell(table, "%s", text);
}

static int add_cell(struct dx_table *table, const void *value)
{
	if (dx_object_is_kind(value, &dx_string_class)) {
		return dx_table_cell(table, "%s", dx_string_get(value));
	}
	if (dx_object_is_kind(value, &dx_number_class)) {
		return dx_table_cell(table, "%" PRId64, (int64_t)dx_number_u64(value));
	}
	if (dx_object_is_kind(value, &dx_boolean_class)) {
		return dx_table_cell(table, "%s", dx_boolean_get(value) ? "yes" : "no");
	}
	if (dx_object_is_kind(value, &dx_array_class)) {
		return add_numbers(table, value);
	}
	return dx_table_cell(table, "-");
}

/* The rows of one section. */
static int print_section(const char *title, const struct dx_array *rows)
{
	const char *titles[DX_TABLE_COLUMNS];
	const struct dx_dict *first = dx_array_get(rows, 0);
	struct dx_table table;
	unsigned nr_columns = 0;
	void *value = NULL;
	int result = 0;

	print_title(title);
	while (dx_object_is_kind(first, &dx_dict_class) && nr_columns < DX_TABLE_COLUMNS &&
	       dx_dict_at(first, nr_columns, &titles[nr_columns], &value)) {
		nr_columns++;
	}
	if (nr_columns == 0) {
		(void)printf("none\n");
		return 0;
	}
	dx_table_init(&table, titles, nr_columns);
	for (size_t i = 0; i < dx_array_count(rows); i++) {
		const void *row = dx_array_get(rows, i);

		for (unsigned k = 0; result == 0 && k < nr_columns; k++) {
			result = add_cell(&table, dx_object_is_kind(row, &dx_dict_class)
							  ? dx_dict_get(row, titles[k])
							  : NULL);
		}
	}
	if (result == 0) {
		dx_table_print(&table, stdout);
	}
	dx_table_fini(&table);
	return result;
}

/* How a driver came to its provider; "-" for what a driver made itself. */
static int add_match(const struct dx_dict *node, struct dx_dict *row)
{
	const struct dx_dict *properties = dx_dict_get_dict(node, DX_ENTRY_PROPERTIES_KEY);
	void *score = properties == NULL ? NULL : dx_dict_get(properties, "IOProbeScore");
	int result = 0;

	if (!dx_object_is_kind(score, &dx_number_class)) {
		result = dx_dict_set_string(row, "score", "-");
		return result < 0 ? result : dx_dict_set_string(row, "category", "-");
	}
	result = dx_dict_set(row, "score", score);
	return result < 0 ? result
			  : dx_dict_set_string(row, "category",
					       dx_dict_get_string(properties, "IOMatchCategory",
								  "IODefaultMatchCategory"));
}

/* One line of the services section; +1. */
static struct dx_dict *describe_service(const struct dx_dict *node)
{
	const struct dx_array *classes = dx_dict_get_array(node, DX_ENTRY_CLASSES_KEY);
	const void *class = classes == NULL ? NULL : dx_array_get(classes, 0);
	bool registered = dx_dict_get_bool(node, DX_ENTRY_REGISTERED_KEY, false);
	bool inactive = dx_dict_get_bool(node, DX_ENTRY_INACTIVE_KEY, false);
	struct dx_dict *row = dx_dict_new();

	if (row == NULL ||
	    dx_dict_set_u64(row, "id", dx_dict_get_u64(node, DX_ENTRY_ID_KEY, 0), 64) < 0 ||
	    dx_dict_set_string(row, "name", dx_dict_get_string(node, DX_ENTRY_NAME_KEY, "?")) < 0 ||
	    dx_dict_set_string(row, "class",
			       dx_object_is_kind(class, &dx_string_class) ? dx_string_get(class)
									  : "?") < 0 ||
	    dx_dict_set_string(row, "state",
			       inactive     ? "inactive"
			       : registered ? "registered"
					    : "private") < 0 ||
	    dx_dict_set_u64(row, "pid", dx_dict_get_u64(node, DX_ENTRY_PID_KEY, 0), 32) < 0 ||
	    add_match(node, row) < 0) {
		return dx_object_unref(row);
	}
	return row;
}

/* Every entry that runs in a driver's process, depth first. */
static int collect_services(const struct dx_dict *node, struct dx_array *rows)
{
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	int result = 0;

	if (dx_dict_get_u64(node, DX_ENTRY_PID_KEY, 0) != 0) {
		struct dx_dict *row = describe_service(node);

		result = row == NULL ? -ENOMEM : dx_array_append(rows, row);
		dx_object_unref(row);
	}
	for (size_t i = 0; result == 0 && children != NULL && i < dx_array_count(children); i++) {
		void *child = dx_array_get(children, i);

		if (dx_object_is_kind(child, &dx_dict_class)) {
			result = collect_services(child, rows);
		}
	}
	return result;
}

static int add_services(struct dx_control *broker, struct dx_dict *status)
{
	struct dx_dict *tree = NULL;
	struct dx_array *rows = NULL;
	int result = dx_control_copy_tree(broker, &tree);

	if (result < 0) {
		return result;
	}
	rows = dx_array_new();
	result = rows == NULL ? -ENOMEM : collect_services(tree, rows);
	if (result == 0) {
		result = dx_dict_set(status, "services", rows);
	}
	dx_object_unref(rows);
	dx_object_unref(tree);
	return result;
}

static int print_sections(const struct dx_dict *status)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < DX_ARRAY_SIZE(sections); i++) {
		const struct dx_array *rows = dx_dict_get_array(status, sections[i]);

		if (rows != NULL) {
			result = print_section(sections[i], rows);
		}
	}
	return result;
}

static int show(const struct dx_tool *tool, bool json)
{
	struct dx_control broker = DX_CONTROL_INIT;
	struct dx_dict *status = NULL;
	int code = dx_connect(tool, &broker);
	int result = 0;

	if (code != DX_TOOL_OK) {
		return code;
	}
	result = dx_control_copy_status(&broker, &status);
	if (result == 0) {
		result = add_services(&broker, status);
	}
	if (result == 0 && json) {
		dx_json_print(stdout, status);
		(void)fputc('\n', stdout);
	} else if (result == 0) {
		result = print_sections(status);
	}
	if (result < 0) {
		code = dx_connect_failed(tool, &broker, result, "cannot list");
	}
	dx_object_unref(status);
	dx_control_close(&broker);
	return code;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	bool json = false;
	int code = 0;

	for (;;) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT "j", names, NULL);

		if (option == -1) {
			break;
		}
		if (option == 'j') {
			json = true;
		} else if (dx_tool_option(tool, option, argv, &code)) {
			return code;
		}
	}
	if (argc > optind) {
		return dx_tool_usage(tool, "unexpected '%s'", argv[optind]);
	}
	return show(tool, json);
}

const struct dx_tool_command dx_list_command = {
	.name = "list",
	.arguments = "[OPTION]...",
	.summary = "List services, bundles, devices, driver processes and clients.",
	.help = "  -j, --json            as JSON, with everything that is known\n",
	.run = run,
};
