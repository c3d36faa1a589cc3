/* SPDX-License-Identifier: MIT
 *
 * world_far - the devices of a world are reached over USB/IP, from a server in the test's process.
 */
#include "support/served.h"
#include "support/world.h"

#define MAX_SERVERS 64u

static struct served *servers[MAX_SERVERS];
static unsigned nr_servers;

/* What is far already stays where it is. */
static const char *serve(const char *spec)
{
	if (strncmp(spec, "usb", 3) == 0) {
		return spec;
	}
	CHECK_LT(nr_servers, MAX_SERVERS);
	servers[nr_servers] = served_start(&spec, 1);
	return served_spec(servers[nr_servers++], 0);
}

static void stop_all(void)
{
	while (nr_servers > 0) {
		served_stop(servers[--nr_servers]);
	}
}

__attribute__((constructor)) static void reach_far(void)
{
	world_reach_by(serve, stop_all);
}
