/* SPDX-License-Identifier: MIT
 *
 * program - the executable dext-host; see main.c.
 *
 * Place:   host.
 */
#include "host/main.h"

int main(int argc, char **argv)
{
	return OpenDextHostMain(argc, argv);
}
