/* SPDX-License-Identifier: MIT
 *
 * device - `dext device`: the models of devices, their keys, their descriptors.
 *
 * Place:   tools. Needs no broker: the catalog of the models is linked in
 * (backend/virtual/catalog.h is the only header of that room that a program includes).
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "backend/virtual/catalog.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "commands.h"
#include "device_descriptors.h"
#include "json.h"
#include "terminal.h"

struct device_options {
	bool help;
	bool json;
	bool descriptors;
};

/* ---- values ---- */

static int add_new(struct dx_array *array, void *object)
{
	int result = object == NULL ? -ENOMEM : dx_array_append(array, object);

	dx_object_unref(object);
	return result;
}

static int set_new(struct dx_dict *dict, const char *key, void *object)
{
	int result = object == NULL ? -ENOMEM : dx_dict_set(dict, key, object);

	dx_object_unref(object);
	return result;
}

static struct dx_dict *key_value(const struct dx_model_key *key)
{
	struct dx_dict *dict = dx_dict_new();

	if (dict == NULL || dx_dict_set_string(dict, "key", key->name) < 0 ||
	    dx_dict_set_string(dict, "values", key->values) < 0 ||
	    dx_dict_set_string(dict, "default", key->fallback) < 0 ||
	    dx_dict_set_string(dict, "meaning", key->text) < 0) {
		return dx_object_unref(dict);
	}
	return dict;
}

static struct dx_array *keys_value(const struct dx_model_key *keys)
{
	struct dx_array *array = dx_array_new();

	for (; array != NULL && keys->name != NULL; keys++) {
		if (add_new(array, key_value(keys)) < 0) {
			return dx_object_unref(array);
		}
	}
	return array;
}

static struct dx_array *notes_value(const char *const *notes)
{
	struct dx_array *array = dx_array_new();

	for (; array != NULL && *notes != NULL; notes++) {
		if (add_new(array, dx_string_new(*notes)) < 0) {
			return dx_object_unref(array);
		}
	}
	return array;
}

static struct dx_dict *model_value(const struct dx_model_kind *kind)
{
	struct dx_dict *dict = dx_dict_new();

	if (dict == NULL || dx_dict_set_string(dict, "model", kind->name) < 0 ||
	    dx_dict_set_string(dict, "summary", kind->summary) < 0 ||
	    set_new(dict, "keys", keys_value(kind->keys)) < 0 ||
	    set_new(dict, "notes", notes_value(kind->notes)) < 0) {
		return dx_object_unref(dict);
	}
	return dict;
}

static int print_json(void *value)
{
	if (value == NULL) {
		return -ENOMEM;
	}
	dx_json_print(stdout, value);
	(void)fputc('\n', stdout);
	dx_object_unref(value);
	return 0;
}

/* ---- all models ---- */

static int list_json(void)
{
	struct dx_dict *dict = dx_dict_new();
	struct dx_array *models = dx_array_new();
	int result = dict == NULL || models == NULL ? -ENOMEM : 0;

	for (size_t i = 0; result == 0 && dx_model_kinds[i] != NULL; i++) {
		result = add_new(models, model_value(dx_model_kinds[i]));
	}
	if (result == 0) {
		result = dx_dict_set(dict, "models", models);
	}
	if (result == 0) {
		result = set_new(dict, "keys of every device", keys_value(dx_device_keys));
	}
	if (result == 0) {
		result = set_new(dict, "faults", keys_value(dx_fault_keys));
	}
	dx_object_unref(models);
	if (result < 0) {
		dx_object_unref(dict);
		return result;
	}
	return print_json(dict);
}

static int list(void)
{
	static const char *const others[][2] = {
		{"file:PATH, PATH.device", "a device that a description file describes"},
		{"replay:PATH", "the device of a capture, played back"},
		{"usb:...", "a device of this machine"},
		{"usbip:HOST/BUSID", "a device of another machine"},
	};

	(void)printf("%sModels%s\n", dx_terminal_style(stdout, DX_STYLE_BOLD),
		     dx_terminal_style(stdout, DX_STYLE_PLAIN));
	for (size_t i = 0; dx_model_kinds[i] != NULL; i++) {
		(void)printf("%-24s %s\n", dx_model_kinds[i]->name, dx_model_kinds[i]->summary);
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(others); i++) {
		(void)printf("%-24s %s\n", others[i][0], others[i][1]);
	}
	(void)printf("\nUse with 'dext run --device virtual:MODEL,KEY=VALUE...'. "
		     "'dext device MODEL' has the keys.\n");
	return 0;
}

/* ---- one model ---- */

static int print_keys(const char *title, const struct dx_model_key *keys)
{
	static const char *const titles[] = {"key", "values", "default", "meaning"};
	struct dx_table table;
	int result = 0;

	(void)printf("\n%s%s%s\n", dx_terminal_style(stdout, DX_STYLE_BOLD), title,
		     dx_terminal_style(stdout, DX_STYLE_PLAIN));
	dx_table_init(&table, titles, DX_ARRAY_SIZE(titles));
	for (; result == 0 && keys->name != NULL; keys++) {
		const char *const cells[] = {keys->name, keys->values, keys->fallback, keys->text};

		for (unsigned i = 0; result == 0 && i < DX_ARRAY_SIZE(cells); i++) {
			result = dx_table_cell(&table, "%s", cells[i]);
		}
	}
	if (result == 0) {
		dx_table_print(&table, stdout);
	}
	dx_table_fini(&table);
	return result;
}

static int explain(const struct dx_model_kind *kind)
{
	int result = 0;

	(void)printf("virtual:%s - %s\n", kind->name, kind->summary);
	result = print_keys("Keys", kind->keys);
	if (result == 0) {
		(void)printf("\n");
		for (const char *const *note = kind->notes; *note != NULL; note++) {
			(void)printf("%s\n", *note);
		}
		result = print_keys("Keys of every device", dx_device_keys);
	}
	return result < 0 ? result : print_keys("Faults", dx_fault_keys);
}

/* ---- descriptors ---- */

static void description_cleanup(struct dx_description **description)
{
	(void)dx_description_free(*description);
}

static const char *device_text(const void *ctx, uint8_t index)
{
	const struct dx_description *description = ctx;

	return index == 0 || index > description->nr_strings ? NULL
							     : description->strings[index - 1];
}

static int decode(const struct dx_description *description, struct dx_array *array)
{
	static const uint8_t container[16]; /* follows from the spec in the real device */
	struct dx_image image = {0};
	int result = dx_image_build(&image, description, container);

	if (result < 0) {
		return result;
	}
	result = dx_descriptors_decode(image.device, sizeof(image.device), device_text, description,
				       array);
	for (unsigned i = 0; result == 0 && i < image.nr_configurations; i++) {
		result = dx_descriptors_decode(image.configurations[i],
					       image.configuration_lengths[i], device_text,
					       description, array);
	}
	if (result == 0) {
		result = dx_descriptors_decode(image.bos, image.bos_length, device_text,
					       description, array);
	}
	dx_image_fini(&image);
	return result;
}

static int show_descriptors(const struct dx_tool *tool, const char *spec, bool json)
{
	DX_CLEANUP(description_cleanup) struct dx_description *description = NULL;
	struct dx_array *array = NULL;
	char message[512] = "";
	int result = dx_catalog_describe(spec, message, sizeof(message), &description);

	if (result < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s",
				    message[0] == '\0' ? strerror(-result) : message);
	}
	array = dx_array_new();
	result = array == NULL ? -ENOMEM : decode(description, array);
	if (result == 0 && json) {
		dx_json_print(stdout, array);
		(void)fputc('\n', stdout);
	} else if (result == 0) {
		dx_descriptors_print(array, stdout);
	}
	dx_object_unref(array);
	return result < 0 ? dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(-result))
			  : DX_TOOL_OK;
}

/* ---- the command ---- */

/* "cdc-acm" and "cdc-acm,speed=full" are short for "virtual:cdc-acm...". */
static int complete_spec(const char *text, char *spec, size_t size)
{
	size_t name = strcspn(text, ",");
	bool is_whole = strchr(text, ':') != NULL || memchr(text, '/', name) != NULL ||
			(name > 7 && memcmp(text + name - 7, ".device", 7) == 0);
	int length = snprintf(spec, size, "%s%s", is_whole ? "" : "virtual:", text);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int show_model(const struct dx_tool *tool, const char *text, bool json)
{
	const char *name = strncmp(text, "virtual:", 8) == 0 ? text + 8 : text;
	const struct dx_model_kind *kind = dx_model_kind_find(name);
	int result = 0;

	if (kind == NULL) {
		return dx_tool_usage(tool, "'%s' is no model", text);
	}
	result = json ? print_json(model_value(kind)) : explain(kind);
	return result < 0 ? dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(-result))
			  : DX_TOOL_OK;
}

/* The help of this command ends with the models, because that is what one asks it for. */
static int help(const struct dx_tool *tool, const char *text)
{
	int code = DX_TOOL_OK;

	if (text != NULL) {
		return show_model(tool, text, false);
	}
	code = dx_tool_help(&dx_device_command);
	(void)printf("\n");
	(void)list();
	return code;
}

static int show(const struct dx_tool *tool, const char *text, const struct device_options *options)
{
	char spec[2048];
	int result = 0;

	if (text == NULL) {
		result = options->json ? list_json() : list();
		return result < 0 ? dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(-result))
				  : DX_TOOL_OK;
	}
	if (!options->descriptors) {
		return show_model(tool, text, options->json);
	}
	if (complete_spec(text, spec, sizeof(spec)) < 0) {
		return dx_tool_usage(tool, "the device's name is too long");
	}
	return show_descriptors(tool, spec, options->json);
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"descriptors", no_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct device_options options = {0};
	int code = 0;

	for (;;) {
		int option = getopt_long(argc, argv, ":" DX_TOOL_SHORT "dj", names, NULL);

		if (option == -1) {
			break;
		}
		if (option == 'h') {
			options.help = true;
		} else if (option == 'd') {
			options.descriptors = true;
		} else if (option == 'j') {
			options.json = true;
		} else if (dx_tool_option(tool, option, argv, &code)) {
			return code;
		}
	}
	if (argc - optind > 1) {
		return dx_tool_usage(tool, "unexpected '%s'", argv[optind + 1]);
	}
	if (options.help) {
		return help(tool, argv[optind]);
	}
	if (options.descriptors && argc == optind) {
		return dx_tool_usage(tool, "--descriptors needs a device");
	}
	return show(tool, argv[optind], &options);
}

const struct dx_tool_command dx_device_command = {
	.name = "device",
	.arguments = "[OPTION]... [MODEL | SPEC]",
	.summary = "List models of devices, explain one, show descriptors.",
	.help = "Without MODEL: all models, one line each. With MODEL: its keys and their "
		"defaults.\n\n"
		"  -d, --descriptors     the descriptors of MODEL, or of any SPEC of a virtual "
		"device:\n"
		"                        'cdc-acm,speed=full', 'file:x', 'my.device'\n"
		"  -j, --json            as JSON\n"
		"  --help MODEL          the same as MODEL\n",
	.own_broker = true,
	.run = run,
};
