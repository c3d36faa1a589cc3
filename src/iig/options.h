/* SPDX-License-Identifier: MIT
 *
 * options - the command line.
 */
#ifndef DX_IIG_OPTIONS_H
#define DX_IIG_OPTIONS_H

#include <stdbool.h>

struct dx_options {
	const char *def;
	const char *header;
	const char *impl;
	const char *deployment_target;
	const char *framework_name;
	const char *log;
	const char *depfile;
	bool help;
	bool version;
	const char *const *clang_args; /* after "--" */
	int nr_clang_args;
};

/* @return 0; -EINVAL after a message on standard error. */
int dx_options_parse(struct dx_options *options, int argc, char **argv);
void dx_options_print_help(void);

#endif
