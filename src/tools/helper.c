/* SPDX-License-Identifier: MIT
 *
 * helper - see helper.h.
 */
#include "helper.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_one_of(const char *argument, const char *letter, const char *name)
{
	return strcmp(argument, letter) == 0 || strcmp(argument, name) == 0;
}

int dx_helper_answer(const char *name, const char *help, const char *argument)
{
	if (is_one_of(argument, "-h", "--help")) {
		(void)fputs(help, stdout);
	} else if (is_one_of(argument, "-V", "--version")) {
		(void)printf("%s " DX_VERSION "\n", name);
	} else {
		(void)fprintf(stderr, "%s: %s: unknown %s, see --help\n", name, argument,
			      argument[0] == '-' ? "option" : "argument");
		return 2;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
