/* SPDX-License-Identifier: MIT
 *
 * options - the names that build systems pass to the tool; see options.h.
 */
#include "iig/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: iig --def IN.iig --header OUT.h --impl OUT.iig.cpp [OPTION]... [-- "
	"CLANG-OPTION...]\n"
	"\n"
	"Makes a C++ header and its implementation from an interface file of a driver.\n"
	"\n"
	"  --def FILE                the interface file\n"
	"  --header FILE             the header to write\n"
	"  --impl FILE               the C++ source to write; compile and link it\n"
	"  --framework-name NAME     the implementation includes <NAME/OUT.h>\n"
	"  --deployment-target VER   accepted; changes nothing\n"
	"  --log FILE                write what every method became\n"
	"  --depfile FILE            write the files read, as a rule for make\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"What follows -- is for the C++ front end: -I, -D, -std and the like.\n";

static int complain(const char *what, const char *about)
{
	fprintf(stderr, "iig: error: %s%s%s; see 'iig --help'\n", what, about == NULL ? "" : " ",
		about == NULL ? "" : about);
	return -EINVAL;
}

static int check(const struct dx_options *options)
{
	if (options->help || options->version) {
		return 0;
	}
	if (options->def == NULL) {
		return complain("no input: give it with", "--def");
	}
	if (options->header == NULL) {
		return complain("no place for the header: give it with", "--header");
	}
	if (options->impl == NULL) {
		return complain("no place for the implementation: give it with", "--impl");
	}
	return 0;
}

/* "--name VALUE" or "--name=VALUE". @return how many arguments it took; 0: another option. */
static int take_value(const char *name, char **argv, const char **ret_value)
{
	size_t len = strlen(name);
	if (strncmp(argv[0], name, len) != 0) {
		return 0;
	}
	if (argv[0][len] == '=') {
		*ret_value = argv[0] + len + 1;
		return 1;
	}
	if (argv[0][len] != '\0') {
		return 0;
	}
	if (argv[1] == NULL || strcmp(argv[1], "--") == 0) {
		return complain("no value after", name);
	}
	*ret_value = argv[1];
	return 2;
}

static int take_option(struct dx_options *options, char **argv)
{
	const struct {
		const char *name;
		const char **value;
	} valued[] = {
		{"--def", &options->def},
		{"--header", &options->header},
		{"--impl", &options->impl},
		{"--deployment-target", &options->deployment_target},
		{"--framework-name", &options->framework_name},
		{"--log", &options->log},
		{"--depfile", &options->depfile},
	};
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
		options->help = true;
		return 1;
	}
	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
		options->version = true;
		return 1;
	}
	for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
		int taken = take_value(valued[i].name, argv, valued[i].value);
		if (taken != 0) {
			return taken;
		}
	}
	return complain("unknown option", argv[0]);
}

int dx_options_parse(struct dx_options *options, int argc, char **argv)
{
	int i = 1;
	while (i < argc && strcmp(argv[i], "--") != 0) {
		int taken = take_option(options, argv + i);
		if (taken < 0) {
			return taken;
		}
		i += taken;
	}
	if (i < argc) {
		options->clang_args = (const char *const *)argv + i + 1;
		options->nr_clang_args = argc - i - 1;
	}
	return check(options);
}

void dx_options_print_help(void)
{
	fputs(help, stdout);
}
