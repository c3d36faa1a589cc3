/* SPDX-License-Identifier: MIT
 *
 * explain - `dext explain BUNDLE [DEVICE]`: which device fits which personality, and if not, why.
 *
 * Place:   tools. The broker judges (DX_WIRE_A_EXPLAIN); where none runs and the devices are given as
 *          specs, a private one without drivers does.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands.h"
#include "connect.h"
#include "json.h"
#include "session.h"
#include "terminal.h"
#include "wire/wire.h"

#define MAX_DEVICES 16u
#define QUIET_MS    10000u

struct explain_options {
	const char *bundle;
	const char *devices[MAX_DEVICES]; /* as they were given */
	bool is_spec[MAX_DEVICES];        /* --device, or by its form */
	unsigned nr_devices;
	bool json;
};

/* "virtual:..." and "pad.device" are specs; the rest names what a broker has. */
static bool looks_like_spec(const char *text)
{
	size_t length = strcspn(text, ",");

	return strchr(text, ':') != NULL ||
	       (length > 7 && strncmp(text + length - 7, ".device", 7) == 0);
}

static bool only_specs(const struct explain_options *options)
{
	for (unsigned i = 0; i < options->nr_devices; i++) {
		if (!options->is_spec[i]) {
			return false;
		}
	}
	return options->nr_devices > 0;
}

/* ---- the request ---- */

/* Takes over the reference to member, also when it fails. */
static int append_owned(struct dx_array *array, void *member)
{
	int result = member == NULL ? -ENOMEM : dx_array_append(array, member);

	dx_object_unref(member);
	return result;
}

/* Ids of the entries with this name. */
static int append_named(struct dx_array *ids, const struct dx_dict *node, const char *name)
{
	const struct dx_array *children = dx_dict_get_array(node, DX_ENTRY_CHILDREN_KEY);
	int result = 0;

	if (strcmp(dx_dict_get_string(node, DX_ENTRY_NAME_KEY, ""), name) == 0) {
		result = append_owned(
			ids, dx_number_new(dx_dict_get_u64(node, DX_ENTRY_ID_KEY, 0), 64));
	}
	for (size_t i = 0; result == 0 && children != NULL && i < dx_array_count(children); i++) {
		const void *child = dx_array_get(children, i);

		if (dx_object_is_kind(child, &dx_dict_class)) {
			result = append_named(ids, child, name);
		}
	}
	return result;
}

/* Adds the ids that text, an id or a name, stands for. -ENODEV: none. */
static int append_entries(struct dx_array *ids, const struct dx_dict *tree, const char *text)
{
	size_t before = dx_array_count(ids);
	char *end = NULL;
	uint64_t id = strtoull(text, &end, 0);
	int result = 0;

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0') {
		return append_owned(ids, dx_number_new(id, 64));
	}
	result = append_named(ids, tree, text);
	return result == 0 && dx_array_count(ids) == before ? -ENODEV : result;
}

/* Without a name there is no need for the tree. */
static int read_tree(struct dx_control *broker, const struct explain_options *options,
		     struct dx_dict **ret_tree)
{
	return options->nr_devices == 0 || only_specs(options)
		       ? 0
		       : dx_control_copy_tree(broker, ret_tree);
}

/* A bundle on disk by its path, one that is loaded by its identifier. */
static int set_bundle(struct dx_dict *request, const char *name)
{
	DX_CLEANUP_FREE char *path = realpath(name, NULL);

	if (path == NULL && strchr(name, '/') != NULL) {
		return -errno;
	}
	return dx_dict_set_string(request, DX_EXPLAIN_BUNDLE_KEY, path != NULL ? path : name);
}

static int set_devices(const struct dx_tool *tool, const struct explain_options *options,
		       const struct dx_dict *tree, struct dx_dict *request)
{
	struct dx_array *specs = dx_array_new();
	struct dx_array *ids = dx_array_new();
	int result = specs == NULL || ids == NULL ? -ENOMEM : 0;

	for (unsigned i = 0; result == 0 && i < options->nr_devices; i++) {
		const char *device = options->devices[i];

		result = options->is_spec[i] ? append_owned(specs, dx_string_new(device))
					     : append_entries(ids, tree, device);
		if (result == -ENODEV) {
			(void)dx_tool_fail(tool, DX_TOOL_FAILED,
					   "'%s': the broker has no such device or service", device);
		}
	}
	if (result == 0 && dx_array_count(specs) > 0) {
		result = dx_dict_set(request, DX_EXPLAIN_SPECS_KEY, specs);
	}
	if (result == 0 && dx_array_count(ids) > 0) {
		result = dx_dict_set(request, DX_EXPLAIN_ENTRIES_KEY, ids);
	}
	dx_object_unref(ids);
	dx_object_unref(specs);
	return result;
}

static int ask(const struct dx_tool *tool, struct dx_control *broker,
	       const struct explain_options *options, struct dx_dict **ret_answer)
{
	struct dx_dict *request = dx_dict_new();
	struct dx_dict *tree = NULL;
	int result = request == NULL ? -ENOMEM : set_bundle(request, options->bundle);

	if (result == 0) {
		result = read_tree(broker, options, &tree);
	}
	if (result == 0) {
		result = set_devices(tool, options, tree, request);
		if (result == -ENODEV) {
			dx_object_unref(tree);
			dx_object_unref(request);
			return result; /* told */
		}
	}
	if (result == 0) {
		result = dx_control_explain(broker, request, ret_answer);
	}
	if (result < 0) {
		(void)dx_connect_failed(tool, broker, result, "%s", options->bundle);
	}
	dx_object_unref(tree);
	dx_object_unref(request);
	return result;
}

/* ---- the answer, for people ---- */

static const struct {
	const char *result;
	const char *words;
	enum dx_style style;
} verdicts[] = {
	{"runs", "matches, and the driver runs", DX_STYLE_GOOD},
	{"starts", "matches, and the driver is being started", DX_STYLE_GOOD},
	{"wins", "matches, and would be started", DX_STYLE_GOOD},
	{"waits", "would match", DX_STYLE_GOOD},
	{"loses", "matches, but loses", DX_STYLE_BAD},
	{"failed", "matches, but failed", DX_STYLE_BAD},
	{"ended", "matches", DX_STYLE_BAD},
	{"no", "does not match", DX_STYLE_BAD},
};

static void print_verdict(const struct dx_dict *provider)
{
	const char *result = dx_dict_get_string(provider, DX_EXPLAIN_RESULT_KEY, "?");
	const char *text = dx_dict_get_string(provider, DX_EXPLAIN_TEXT_KEY, "");
	const void *score = dx_dict_get(provider, DX_EXPLAIN_SCORE_KEY);

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (strcmp(verdicts[i].result, result) == 0) {
			(void)printf("%s%s%s", dx_terminal_style(stdout, verdicts[i].style),
				     verdicts[i].words, dx_terminal_style(stdout, DX_STYLE_PLAIN));
		}
	}
	if (dx_object_is_kind(score, &dx_number_class)) {
		(void)printf(", score %" PRId64, (int64_t)dx_number_u64(score));
	}
	if (text[0] != '\0') {
		(void)fputs(": ", stdout);
		dx_terminal_print_text(stdout, text);
	}
	(void)fputc('\n', stdout);
}

static void print_reasons(const struct dx_array *reasons)
{
	for (size_t i = 0; reasons != NULL && i < dx_array_count(reasons); i++) {
		const struct dx_dict *reason = dx_array_get(reasons, i);

		(void)fputs("      ", stdout);
		dx_terminal_print_text(stdout, dx_dict_get_string(reason, DX_EXPLAIN_KEY_KEY, "?"));
		(void)fputs(": ", stdout);
		dx_terminal_print_text(stdout,
				       dx_dict_get_string(reason, DX_EXPLAIN_TEXT_KEY, "?"));
		(void)fputc('\n', stdout);
	}
}

static void print_provider(const struct dx_dict *provider)
{
	const char *location = dx_dict_get_string(provider, DX_ENTRY_LOCATION_KEY, "");
	const char *spec = dx_dict_get_string(provider, DX_EXPLAIN_SPEC_KEY, "");
	uint64_t id = dx_dict_get_u64(provider, DX_EXPLAIN_ID_KEY, 0);

	(void)fputs("    ", stdout);
	dx_terminal_print_text(stdout, dx_dict_get_string(provider, DX_EXPLAIN_NAME_KEY, "?"));
	if (location[0] != '\0') {
		(void)fputc('@', stdout);
		dx_terminal_print_text(stdout, location);
	}
	(void)printf(" (");
	dx_terminal_print_text(stdout, dx_dict_get_string(provider, DX_EXPLAIN_CLASS_KEY, "?"));
	if (spec[0] != '\0') {
		(void)fputs(", ", stdout);
		dx_terminal_print_text(stdout, spec);
	}
	if (id != 0) {
		(void)printf(", id %" PRIu64, id);
	}
	(void)fputs(") ", stdout);
	print_verdict(provider);
	print_reasons(dx_dict_get_array(provider, DX_EXPLAIN_REASONS_KEY));
}

static void print_lines(const char *lead, const struct dx_array *texts)
{
	for (size_t i = 0; texts != NULL && i < dx_array_count(texts); i++) {
		const void *text = dx_array_get(texts, i);

		(void)fputs(lead, stdout);
		dx_terminal_print_text(stdout, dx_object_is_kind(text, &dx_string_class)
						       ? dx_string_get(text)
						       : "?");
		(void)fputc('\n', stdout);
	}
}

static void print_personality(const struct dx_dict *personality)
{
	const struct dx_array *providers = dx_dict_get_array(personality, DX_EXPLAIN_PROVIDERS_KEY);
	size_t nr_providers = providers == NULL ? 0 : dx_array_count(providers);
	const char *wants = dx_dict_get_string(personality, DX_EXPLAIN_WANTS_KEY, "?");

	(void)fputs("\n  ", stdout);
	(void)fputs(dx_terminal_style(stdout, DX_STYLE_BOLD), stdout);
	dx_terminal_print_text(stdout, dx_dict_get_string(personality, DX_EXPLAIN_NAME_KEY, "?"));
	(void)fputs(dx_terminal_style(stdout, DX_STYLE_PLAIN), stdout);
	(void)fputs(": ", stdout);
	dx_terminal_print_text(stdout, dx_dict_get_string(personality, DX_EXPLAIN_CLASS_KEY, "?"));
	(void)fputs(" on ", stdout);
	dx_terminal_print_text(stdout, wants);
	(void)fputs(", category ", stdout);
	dx_terminal_print_text(stdout,
			       dx_dict_get_string(personality, DX_EXPLAIN_CATEGORY_KEY, "?"));
	(void)fputc('\n', stdout);
	print_lines("    note: ", dx_dict_get_array(personality, DX_EXPLAIN_PROBLEMS_KEY));
	for (size_t i = 0; i < nr_providers; i++) {
		print_provider(dx_array_get(providers, i));
	}
	if (nr_providers == 0) {
		(void)fputs("    nothing of class ", stdout);
		dx_terminal_print_text(stdout, wants);
		(void)fputs(" is there\n", stdout);
	}
}

/* Arrays of dictionaries are what the wire says they are, or the answer is refused. */
static bool is_sound(const struct dx_dict *node, const char *const *keys)
{
	const struct dx_array *array = dx_dict_get_array(node, keys[0]);

	for (size_t i = 0; array != NULL && i < dx_array_count(array); i++) {
		const void *member = dx_array_get(array, i);

		if (!dx_object_is_kind(member, &dx_dict_class) ||
		    (keys[1] != NULL && !is_sound(member, keys + 1))) {
			return false;
		}
	}
	return true;
}

static void print_answer(const struct dx_dict *answer)
{
	const struct dx_array *personalities =
		dx_dict_get_array(answer, DX_EXPLAIN_PERSONALITIES_KEY);

	dx_terminal_print_text(stdout, dx_dict_get_string(answer, DX_EXPLAIN_IDENTIFIER_KEY, "?"));
	(void)fputs(" (", stdout);
	dx_terminal_print_text(stdout, dx_dict_get_string(answer, DX_EXPLAIN_PATH_KEY, "?"));
	(void)fputs(dx_dict_get_bool(answer, DX_EXPLAIN_LOADED_KEY, false) ? ", loaded)\n" : ")\n",
		    stdout);
	print_lines("  problem: ", dx_dict_get_array(answer, DX_EXPLAIN_PROBLEMS_KEY));
	for (size_t i = 0; personalities != NULL && i < dx_array_count(personalities); i++) {
		print_personality(dx_array_get(personalities, i));
	}
}

static int show(const struct dx_tool *tool, const struct explain_options *options,
		const struct dx_dict *answer)
{
	static const char *const keys[] = {DX_EXPLAIN_PERSONALITIES_KEY, DX_EXPLAIN_PROVIDERS_KEY,
					   DX_EXPLAIN_REASONS_KEY, NULL};

	if (!is_sound(answer, keys)) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "the broker's answer makes no sense");
	}
	if (options->json) {
		dx_json_print(stdout, answer);
		(void)fputc('\n', stdout);
	} else {
		print_answer(answer);
	}
	return dx_dict_get_bool(answer, DX_EXPLAIN_MATCHES_KEY, false) ? DX_TOOL_OK
								       : DX_TOOL_FAILED;
}

/* ---- who answers ---- */

static int explain_with(const struct dx_tool *tool, struct dx_control *broker,
			const struct explain_options *options)
{
	struct dx_dict *answer = NULL;
	int code = ask(tool, broker, options, &answer) < 0 ? DX_TOOL_FAILED
							   : show(tool, options, answer);

	dx_object_unref(answer);
	return code;
}

static int explain_alone(const struct dx_tool *tool, const struct explain_options *options)
{
	const struct dx_session_options empty = {.timeout_ms = QUIET_MS, .errors_only = true};
	struct dx_session session;
	int code = dx_session_start(&session, tool, &empty);

	if (code == DX_TOOL_OK) {
		code = explain_with(tool, &session.broker, options);
		dx_session_stop(&session);
	}
	return code;
}

static int explain(const struct dx_tool *tool, const struct explain_options *options)
{
	struct dx_control broker = DX_CONTROL_INIT;
	int result = tool->socket == NULL && only_specs(options) ? dx_control_open(&broker, NULL)
								 : 0;
	int code = DX_TOOL_OK;

	if (result == -ENOENT || result == -ECONNREFUSED) {
		return explain_alone(tool, options);
	}
	if (broker.socket < 0) {
		code = dx_connect(tool, &broker);
	}
	if (code == DX_TOOL_OK) {
		code = explain_with(tool, &broker, options);
		dx_control_close(&broker);
	}
	return code;
}

static int take_device(const struct dx_tool *tool, struct explain_options *options,
		       const char *device, bool is_spec)
{
	if (options->nr_devices == MAX_DEVICES) {
		return dx_tool_usage(tool, "more than %u devices", MAX_DEVICES);
	}
	options->devices[options->nr_devices] = device;
	options->is_spec[options->nr_devices++] = is_spec;
	return DX_TOOL_OK;
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"device", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct explain_options options = {0};
	int code = DX_TOOL_OK;

	while (code == DX_TOOL_OK) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT "d:j", names, NULL);

		if (option == -1) {
			break;
		}
		if (option == 'j') {
			options.json = true;
		} else if (option == 'd') {
			code = take_device(tool, &options, optarg, true);
		} else if (dx_tool_option(tool, option, argv, &code)) {
			return code;
		}
	}
	if (code == DX_TOOL_OK && optind == argc) {
		return dx_tool_usage(tool, "a bundle is needed");
	}
	options.bundle = argv[optind];
	for (int i = optind + 1; code == DX_TOOL_OK && i < argc; i++) {
		code = take_device(tool, &options, argv[i], looks_like_spec(argv[i]));
	}
	return code == DX_TOOL_OK ? explain(tool, &options) : code;
}

const struct dx_tool_command dx_explain_command = {
	.name = "explain",
	.arguments = "[OPTION]... BUNDLE [DEVICE]...",
	.summary = "Say which devices a driver matches, and if not, which key is in the way.",
	.help = "BUNDLE is a path, or the identifier of a bundle that is loaded. DEVICE is a spec such\n"
		"as 'virtual:gadget-zero', or the id or the name of something in the registry of the\n"
		"broker; without one everything there is looked at. A spec needs no broker.\n"
		"\n"
		"  -d, --device SPEC     a device that need not be attached; may be repeated\n"
		"  -j, --json            as JSON, with everything that is known\n"
		"\n"
		"Exit status: 0 something matches; 1 nothing does, or the bundle is wrong.\n",
	.run = run,
};
