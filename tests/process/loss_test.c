/* SPDX-License-Identifier: MIT
 *
 * loss_test - numbered packets of four applications through one driver and one device: none lost,
 * none doubled, in order.
 *
 * OPENDEXT_SOAK: 10 million packets with progress; otherwise OPENDEXT_LOSS_PACKETS or 200000.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/children.h"
#include "support/world.h"
#include "support/world_process.h"

#define NR_APPS	      4u
#define SOAK_PACKETS  10000000ull
#define CHECK_PACKETS 200000ull

static bool is_soak(void)
{
	return getenv("OPENDEXT_SOAK") != NULL;
}

static unsigned long long nr_packets(void)
{
	const char *text = getenv("OPENDEXT_LOSS_PACKETS");

	if (text != NULL) {
		return strtoull(text, NULL, 0);
	}
	return is_soak() ? SOAK_PACKETS : CHECK_PACKETS;
}

/* To the terminal, past the harness, which keeps the output of a test. */
static void show_progress(unsigned app, const char *line)
{
	FILE *terminal = is_soak() ? fopen("/dev/tty", "we") : NULL;

	if (terminal != NULL) {
		fprintf(terminal, "loss: application %u: %s packets are back\n", app + 1, line);
		(void)fclose(terminal);
	}
	printf("application %u: %s\n", app + 1, line);
}

/* Reads the lines of all applications until the last one has ended. */
static void follow(struct child apps[NR_APPS])
{
	struct pollfd entries[NR_APPS];
	unsigned nr_open = NR_APPS;

	for (unsigned i = 0; i < NR_APPS; i++) {
		entries[i] = (struct pollfd){.fd = apps[i].output, .events = POLLIN};
	}
	while (nr_open > 0) {
		CHECK_GT(poll(entries, NR_APPS, -1), 0);
		for (unsigned i = 0; i < NR_APPS; i++) {
			char line[64] = "";
			ssize_t length;

			if (entries[i].fd < 0 || entries[i].revents == 0) {
				continue;
			}
			length = read(entries[i].fd, line, sizeof(line) - 1);
			if (length <= 0) {
				entries[i].fd = -1;
				nr_open--;
				continue;
			}
			line[strcspn(line, "\n")] = '\0';
			show_progress(i, line);
		}
	}
}

TEST_SECONDS(loss_of_packets_of_four_applications, 7200)
{
	struct child apps[NR_APPS];
	char count[32];
	char message[512] = "";

	world_start();
	if (!world_load(world_program("OPENDEXT_TEST_LOSS_BUNDLE"), message, sizeof(message))) {
		FAIL("%s", message);
	}
	world_unload(CONTRACT_IDENTIFIER); /* it would match the same device */
	(void)world_attach("virtual:gadget-zero,speed=super,mode=loopback");
	(void)IOObjectRelease(world_service("Loss"));
	(void)snprintf(count, sizeof(count), "%llu", nr_packets() / NR_APPS);
	for (unsigned i = 0; i < NR_APPS; i++) {
		apps[i] = child_start("OPENDEXT_TEST_LOSS_APP", count, NULL, NULL);
	}
	follow(apps);
	for (unsigned i = 0; i < NR_APPS; i++) {
		child_join(&apps[i]);
	}
	world_stop();
}
