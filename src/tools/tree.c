/* SPDX-License-Identifier: MIT
 *
 * tree - `dext tree`: the registry as the broker sees it.
 *
 * Place:   tools.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "connect.h"
#include "json.h"
#include "terminal.h"
#include "wire/wire.h"

struct tree_options {
	bool json;
	bool properties;
};

/* The branches left of a node. */
struct branch {
	const struct branch *parent;
	bool last;
};

static void print_stem(const struct branch *branch)
{
	if (branch->parent == NULL) {
		return;
	}
	print_stem(branch->parent);
	(void)fputs(branch->last ? "   " : "|  ", stdout);
}

static void print_properties(const struct dx_dict *node, const struct branch *branch)
{
	const struct dx_dict *properties = dx_dict_get_dict(node, DX_ENTRY_PROPERTIES_KEY);
	const char *key = NULL;
	void *object = NULL;

	for (size_t i = 0; properties != NULL && dx_dict_at(properties, i, &key, &object); i++) {
		print_stem(branch);
		(void)fputs("     ", stdout);
		dx_terminal_print_text(stdout, key);
		(void)fputs(" = ", stdout);
		dx_json_print_line(stdout, object);
		(void)fputc('\n', stdout);
	}
}

static void print_line(const struct dx_dict *node)
{
	const struct dx_array *classes = dx_dict_get_array(node, DX_ENTRY_CLASSES_KEY);
	const void *class = classes == NULL ? NULL : dx_array_get(classes, 0);
	const struct dx_dict *shown = dx_dict_get_dict(node, DX_ENTRY_PROPERTIES_KEY);
	const void *score = shown == NULL ? NULL : dx_dict_get(shown, "IOProbeScore");
	uint64_t pid = dx_dict_get_u64(node, DX_ENTRY_PID_KEY, 0);

	(void)fputs(dx_terminal_style(stdout, DX_STYLE_BOLD), stdout);
	dx_terminal_print_text(stdout, dx_dict_get_string(node, DX_ENTRY_NAME_KEY, "?"));
	(void)fputs(dx_terminal_style(stdout, DX_STYLE_PLAIN), stdout);
	(void)printf("  <");
	dx_terminal_print_text(
		stdout, dx_object_is_kind(class, &dx_string_class) ? dx_string_get(class) : "?");
	(void)printf(", id %" PRIu64, dx_dict_get_u64(node, DX_ENTRY_ID_KEY, 0));
	(void)fputs(dx_dict_get_bool(node, DX_ENTRY_REGISTERED_KEY, false) ? ", registered" : "",
		    stdout);
	(void)fputs(dx_dict_get_bool(node, DX_ENTRY_INACTIVE_KEY, false) ? ", inactive" : "",
		    stdout);
	(void)printf(", busy %" PRIu64, dx_dict_get_u64(node, DX_ENTRY_BUSY_KEY, 0));
	if (pid != 0) {
		(void)printf(", pid %" PRIu64, pid);
	}
	if (dx_object_is_kind(score, &dx_number_class)) {
		(void)printf(", score %" PRId64 " in ", (int64_t)dx_number_u64(score));
		dx_terminal_print_text(stdout, dx_dict_get_string(shown, "IOMatchCategory",
								  "IODefaultMatchCategory"));
	}
	(void)fputs(">\n", stdout);
}

/* Drivers that it should have, and why it has not. */
static void print_failures(const struct dx_dict *node, const struct branch *branch)
{
	const struct dx_array *failures = dx_dict_get_array(node, DX_ENTRY_FAILURES_KEY);

	for (size_t i = 0; failures != NULL && i < dx_array_count(failures); i++) {
		const void *failure = dx_array_get(failures, i);

		print_stem(branch);
		(void)printf("     %s!%s ", dx_terminal_style(stdout, DX_STYLE_BAD),
			     dx_terminal_style(stdout, DX_STYLE_PLAIN));
		dx_terminal_print_text(stdout, dx_object_is_kind(failure, &dx_string_class)
						       ? dx_string_get(failure)
						       : "?");
		(void)fputc('\n', stdout);
	}
}

/* Devices that somebody attached and that are not there now have no place in the tree. */
static void print_absent(const struct dx_dict *status)
{
	const struct dx_array *devices = dx_dict_get_array(status, "devices");

	for (size_t i = 0; devices != NULL && i < dx_array_count(devices); i++) {
		const struct dx_dict *device = dx_array_get(devices, i);
		const char *state = dx_object_is_kind(device, &dx_dict_class)
					    ? dx_dict_get_string(device, "state", "attached")
					    : "attached";

		if (strcmp(state, "attached") != 0 && strcmp(state, "leaving") != 0) {
			(void)printf("%s: ", state);
			dx_terminal_print_text(stdout, dx_dict_get_string(device, "spec", "?"));
			(void)printf(", id %" PRIu64 ", ", dx_dict_get_u64(device, "id", 0));
			dx_terminal_print_text(stdout,
					       dx_dict_get_string(device, "problem", "-"));
			(void)fputc('\n', stdout);
		}
	}
}

static void print_node(const struct dx_dict *node, const struct branch *branch, bool properties)
{
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	size_t count = children == NULL ? 0 : dx_array_count(children);

	if (branch->parent != NULL) {
		print_stem(branch->parent);
		(void)fputs("+- ", stdout);
	}
	print_line(node);
	print_failures(node, branch);
	if (properties) {
		print_properties(node, branch);
	}
	for (size_t i = 0; i < count; i++) {
		struct branch next = {.parent = branch, .last = i + 1 == count};
		const void *child = dx_array_get(children, i);

		if (dx_object_is_kind(child, &dx_dict_class)) {
			print_node(child, &next, properties);
		}
	}
}

static int show(const struct dx_tool *tool, const struct tree_options *options)
{
	struct dx_control broker = DX_CONTROL_INIT;
	struct branch root = {.last = true};
	struct dx_dict *tree = NULL;
	struct dx_dict *status = NULL;
	int code = dx_connect(tool, &broker);
	int result = 0;

	if (code != DX_TOOL_OK) {
		return code;
	}
	result = dx_control_copy_tree(&broker, &tree);
	if (result == 0) {
		result = dx_control_copy_status(&broker, &status);
	}
	if (result < 0) {
		code = dx_connect_failed(tool, &broker, result, "cannot read the registry");
	} else if (options->json) {
		dx_json_print(stdout, tree);
		(void)fputc('\n', stdout);
	} else {
		print_node(tree, &root, options->properties);
		print_absent(status);
	}
	dx_object_unref(status);
	dx_object_unref(tree);
	dx_control_close(&broker);
	return code;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"json", no_argument, NULL, 'j'},
		{"properties", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	struct tree_options options = {0};
	int code = 0;

	for (;;) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT "jp", names, NULL);

		if (option == -1) {
			break;
		}
		if (option == 'j') {
			options.json = true;
		} else if (option == 'p') {
			options.properties = true;
		} else if (dx_tool_option(tool, option, argv, &code)) {
			return code;
		}
	}
	if (argc > optind) {
		return dx_tool_usage(tool, "unexpected '%s'", argv[optind]);
	}
	return show(tool, &options);
}

const struct dx_tool_command dx_tree_command = {
	.name = "tree",
	.arguments = "[OPTION]...",
	.summary = "Show the registry: devices, services and connections as a tree.",
	.help = "  -p, --properties      with the properties of each entry\n"
		"  -j, --json            as JSON, with everything that is known\n",
	.run = run,
};
