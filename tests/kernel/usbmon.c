/* SPDX-License-Identifier: MIT
 *
 * usbmon - writes what the kernel saw on a bus to a file, until it is told to end.
 *
 *	usbmon BUS FILE
 *
 * Place:      tests/kernel. It does what dumpcap does on usbmonBUS, without the seconds that dumpcap takes
 *             to start in a guest, and knows when it has seen everything.
 * Invariants:
 *   M1  "listening" on standard output: what happens from now on is in the file.
 *   M2  After SIGTERM what had happened by then is written. Exit status 0 only when nothing was lost
 *       and nothing was cut.
 * Threads:    one.
 */
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define SNAPLEN 262144 /* makes the kernel's ring as large as it can be */

static pcap_t *bus;

struct written {
	pcap_dumper_t *file;
	unsigned long nr_events;
	unsigned long nr_cut;
};

static void stop(int number)
{
	(void)number;
	pcap_breakloop(bus);
}

static void on_event(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct written *written = (struct written *)(void *)context;

	written->nr_events++;
	written->nr_cut += header->caplen < header->len;
	pcap_dump((u_char *)written->file, header, bytes);
}

static int fail(const char *what)
{
	fprintf(stderr, "usbmon: %s: %s\n", what, pcap_geterr(bus));
	return 1;
}

/* Ends with SIGTERM; what is in the ring then is fetched without waiting. */
static int write_events(struct written *written)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_stat counts = {0};
	int result = pcap_loop(bus, -1, on_event, (u_char *)(void *)written);

	if (result != PCAP_ERROR_BREAK || pcap_setnonblock(bus, 1, error) != 0) {
		return fail("read");
	}
	do {
		result = pcap_dispatch(bus, -1, on_event, (u_char *)(void *)written);
	} while (result > 0);
	if (result < 0 || pcap_stats(bus, &counts) != 0) {
		return fail("end");
	}
	printf("%lu events, %u lost, %lu cut\n", written->nr_events, counts.ps_drop,
	       written->nr_cut);
	return counts.ps_drop != 0 || written->nr_cut != 0;
}

int main(int argc, char **argv)
{
	const struct sigaction on_term = {.sa_handler = stop};
	struct written written = {0};
	char name[32];
	char error[PCAP_ERRBUF_SIZE] = "";
	int result;

	if (argc != 3) {
		fprintf(stderr, "usage: usbmon BUS FILE\n");
		return 2;
	}
	(void)snprintf(name, sizeof(name), "usbmon%s", argv[1]);
	bus = pcap_create(name, error);
	if (bus == NULL) {
		fprintf(stderr, "usbmon: %s: %s\n", name, error);
		return 1;
	}
	if (pcap_set_snaplen(bus, SNAPLEN) != 0 || pcap_activate(bus) != 0) {
		return fail(name);
	}
	written.file = pcap_dump_open(bus, argv[2]);
	if (written.file == NULL || sigaction(SIGTERM, &on_term, NULL) != 0) {
		return fail(argv[2]);
	}
	puts("listening");
	(void)fflush(stdout); /* if nobody hears it, nobody waits for it */
	result = write_events(&written);
	result |= pcap_dump_flush(written.file);
	pcap_dump_close(written.file);
	pcap_close(bus);
	return result != 0;
}
