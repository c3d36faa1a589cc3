/* SPDX-License-Identifier: MIT
 *
 * capture - what the stack does on a virtual device, written and read back by another reader.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/recording.h"
#include "capture/usbmon.h"

struct scene {
	char directory[64];
	char path[96];
	struct dx_capture *capture;
};

static struct scene begin(void)
{
	struct scene scene = {.capture = NULL};
	char message[256] = "";
	int fd = -1;

	test_make_directory(scene.directory, sizeof(scene.directory));
	(void)snprintf(scene.path, sizeof(scene.path), "%s/out.pcapng", scene.directory);
	fd = dx_capture_begin(scene.path, message, sizeof(message));
	CHECK_GE(fd, 0);
	CHECK_EQ(dx_capture_new(fd, &scene.capture), 0);
	return scene;
}

static struct dx_recording *load(const struct scene *scene)
{
	struct dx_recording *recording = NULL;
	char message[512] = "";
	int result = dx_recording_load(open(scene->path, O_RDONLY | O_CLOEXEC), scene->path, NULL,
				       message, sizeof(message), &recording);

	if (result < 0) {
		FAIL("load: %d %s", result, message);
	}
	CHECK_STR_EQ(message, "");
	return recording;
}

/* attach, tap, configure, open: as set_up() of the fixture, with the capture from the beginning. */
static struct fixture set_up_tapped(struct scene *scene, const char *spec, uint8_t configuration)
{
	struct fixture f = {.device = attach(spec)};

	dx_usb_device_set_tap(f.device, dx_capture_tap(scene->capture));
	CHECK_EQ(dx_usb_device_set_configuration(f.device, NULL, configuration), DX_USB_OK);
	f.interface = dx_usb_device_copy_interface(f.device, 0);
	CHECK(f.interface != NULL);
	CHECK_EQ(dx_usb_interface_open(f.interface, CLIENT, 0, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x81, &f.in), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x01, &f.out), DX_USB_OK);
	return f;
}

/* The n-th recorded transfer of an endpoint, from 0. */
static const struct dx_recorded_transfer *nth(const struct dx_recording *recording, uint8_t endpoint,
					      unsigned n)
{
	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *transfer = &recording->transfers[i];

		if (transfer->type != DX_USB_CONTROL && transfer->endpoint == endpoint && n-- == 0) {
			return transfer;
		}
	}
	FAIL("no such transfer of endpoint %#x", endpoint);
}

static const struct dx_recorded_transfer *request(const struct dx_recording *recording, uint8_t type,
						  uint8_t number)
{
	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *transfer = &recording->transfers[i];

		if (transfer->type == DX_USB_CONTROL && transfer->setup[0] == type &&
		    transfer->setup[1] == number) {
			return transfer;
		}
	}
	FAIL("no request %#x %u", type, number);
}

TEST(capture_holds_descriptors_and_data_of_both_directions)
{
	struct scene scene = begin();
	struct fixture f = set_up_tapped(&scene, "virtual:gadget-zero,mode=loopback", LOOPBACK);
	struct dx_recording *recording = NULL;
	const struct dx_recorded_transfer *transfer = NULL;
	uint8_t sent[1500];
	uint8_t received[1500] = {0};
	uint32_t actual = 0;
	size_t length = 0;
	const uint8_t *bytes = dx_usb_device_configuration_at(f.device, 0, &length);

	for (size_t i = 0; i < sizeof(sent); i++) {
		sent[i] = (uint8_t)(i * 7);
	}
	CHECK_EQ(dx_usb_pipe_io(f.out, sent, sizeof(sent), 0, &actual), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.in, received, sizeof(received), 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, sizeof(sent));

	recording = load(&scene);
	CHECK_EQ(recording->address, dx_usb_device_address(f.device));
	CHECK_EQ(recording->bus, dx_usb_device_location(f.device) >> 24);
	CHECK_MEM_EQ(recording->device, dx_usb_device_descriptor(f.device), 18);
	CHECK_EQ(recording->nr_configurations, 2);
	CHECK_EQ(recording->configuration_lengths[0], length);
	CHECK_MEM_EQ(recording->configurations[0], bytes, length);
	CHECK(recording->bos != NULL);
	transfer = nth(recording, 0x01, 0);
	CHECK_EQ(transfer->type, DX_USB_BULK);
	CHECK_EQ(transfer->status, DX_USB_OK);
	CHECK_EQ(transfer->actual, sizeof(sent));
	CHECK_EQ(transfer->nr_data, sizeof(sent));
	CHECK_MEM_EQ(transfer->data, sent, sizeof(sent));
	CHECK_LT(transfer->submitted_at, transfer->completed_at);
	CHECK_LE(transfer->submitted_ns, transfer->completed_ns);
	transfer = nth(recording, 0x81, 0);
	CHECK_EQ(transfer->nr_data, sizeof(sent));
	CHECK_MEM_EQ(transfer->data, sent, sizeof(sent));
	CHECK_EQ(recording->nr_cut, 0);
	(void)dx_recording_free(recording);
	tear_down(&f);
	(void)dx_capture_free(scene.capture);
}

TEST(capture_holds_requests_that_the_stack_makes)
{
	struct scene scene = begin();
	struct fixture f = set_up_tapped(&scene, "virtual:gadget-zero", SOURCE_SINK);
	struct dx_recording *recording = NULL;
	const uint8_t configuration[8] = {0x00, 9, SOURCE_SINK};
	const uint8_t interface[8] = {0x01, 11, 1};
	const uint8_t halt[8] = {0x02, 1, 0, 0, 0x81};

	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, false), DX_USB_OK); /* sends nothing */
	CHECK_EQ(dx_usb_pipe_clear_stall(f.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 1), DX_USB_OK);
	recording = load(&scene);
	CHECK_MEM_EQ(request(recording, 0x00, 9)->setup, configuration, 8);
	CHECK_MEM_EQ(request(recording, 0x01, 11)->setup, interface, 8);
	CHECK_MEM_EQ(request(recording, 0x02, 1)->setup, halt, 8);
	CHECK_EQ(request(recording, 0x02, 1)->status, DX_USB_OK);
	CHECK_NE(request(recording, 0x02, 1)->completed_at, 0);
	/* device, 2 configurations, BOS, which configuration, and the three */
	CHECK_EQ(recording->nr_transfers, 8);
	(void)dx_recording_free(recording);
	tear_down(&f);
	(void)dx_capture_free(scene.capture);
}

TEST(capture_holds_errors_as_linux_says_them)
{
	struct scene scene = begin();
	struct fixture f = set_up_tapped(&scene, "virtual:gadget-zero,mode=loopback,stall-after=1",
					 LOOPBACK);
	struct dx_recording *recording = NULL;
	uint8_t bytes[512] = {0};

	CHECK_EQ(dx_usb_pipe_io(f.in, bytes, sizeof(bytes), 1, NULL), DX_USB_TIMEOUT);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, sizeof(bytes), 0, NULL), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, sizeof(bytes), 0, NULL), DX_USB_STALLED);
	recording = load(&scene);
	CHECK_EQ(nth(recording, 0x81, 0)->status, DX_USB_ABORTED); /* on the bus a cancellation */
	CHECK_EQ(nth(recording, 0x01, 0)->status, DX_USB_OK);
	CHECK_EQ(nth(recording, 0x01, 1)->status, DX_USB_STALLED);
	(void)dx_recording_free(recording);
	tear_down(&f);
	(void)dx_capture_free(scene.capture);
}

/* Headers of the first submission of a control request of that type, and of its end. */
static void read_request(const struct scene *scene, uint8_t type, struct dx_usbmon_header *ret_submit,
			 struct dx_usbmon_header *ret_end)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *file = pcap_open_offline(scene->path, error);
	struct pcap_pkthdr *packet = NULL;
	const u_char *bytes = NULL;
	bool found = false;

	CHECK(file != NULL);
	while (pcap_next_ex(file, &packet, &bytes) == 1) {
		CHECK_GE(packet->caplen, sizeof(*ret_submit));
		memcpy(found ? ret_end : ret_submit, bytes, sizeof(*ret_submit));
		if (found) {
			pcap_close(file);
			CHECK_EQ(ret_end->id, ret_submit->id);
			return;
		}
		found = ret_submit->event == DX_USBMON_SUBMIT &&
			ret_submit->type == DX_USBMON_CONTROL && ret_submit->setup[0] == type;
	}
	FAIL("no request of type %#x", type);
}

TEST(capture_takes_a_request_without_data_for_one_that_goes_out)
{
	struct scene scene = begin();
	struct fixture f = set_up_tapped(&scene, "virtual:gadget-zero", SOURCE_SINK);
	const struct dx_usb_setup without = {.bmRequestType = 0xc0, .bRequest = 0x77};
	const struct dx_usb_setup with = {.bmRequestType = 0xc1, .bRequest = 0x77, .wLength = 4};
	struct dx_usbmon_header submit = {0};
	struct dx_usbmon_header end = {0};
	uint8_t bytes[4];

	CHECK_EQ(dx_usb_interface_request(f.interface, &without, NULL, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_interface_request(f.interface, &with, bytes, 0, NULL), DX_USB_STALLED);
	read_request(&scene, 0xc0, &submit, &end);
	CHECK_EQ(submit.endpoint, 0x00);
	CHECK_EQ(submit.data_flag, 0);
	CHECK_EQ(end.endpoint, 0x00);
	CHECK_EQ(end.data_flag, '>');
	read_request(&scene, 0xc1, &submit, &end);
	CHECK_EQ(submit.endpoint, 0x80);
	CHECK_EQ(submit.data_flag, '<');
	CHECK_EQ(end.endpoint, 0x80);
	CHECK_EQ(end.data_flag, 0);
	tear_down(&f);
	(void)dx_capture_free(scene.capture);
}

TEST(capture_holds_isochronous_packets)
{
	struct scene scene = begin();
	struct fixture f = set_up_tapped(&scene, "virtual:gadget-zero,speed=high", SOURCE_SINK);
	struct dx_recording *recording = NULL;
	const struct dx_recorded_transfer *transfer = NULL;
	struct dx_usb_pipe *iso = NULL;
	struct dx_usb_iso_frame frames[3] = {{0}};
	uint8_t bytes[3 * 512];
	uint32_t sum = 0;

	CHECK_EQ(dx_usb_interface_select_alternate(f.interface, 1), DX_USB_OK);
	CHECK_EQ(dx_usb_interface_copy_pipe(f.interface, 0x82, &iso), DX_USB_OK);
	for (unsigned i = 0; i < 3; i++) {
		frames[i].request_count = 512;
	}
	CHECK_EQ(dx_usb_pipe_submit_iso(iso, bytes, sizeof(bytes), frames, 3, 0, NULL, NULL), DX_USB_OK);
	recording = load(&scene);
	transfer = nth(recording, 0x82, 0);
	CHECK_EQ(transfer->type, DX_USB_ISOCHRONOUS);
	CHECK_EQ(transfer->nr_packets, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(transfer->packets[i].length, 512);
		CHECK_EQ(transfer->packets[i].actual, frames[i].complete_count);
		CHECK_EQ(transfer->packets[i].status, frames[i].status);
		sum += transfer->packets[i].actual;
	}
	CHECK_EQ(transfer->actual, sum);
	CHECK_GE(transfer->nr_data, sum);
	CHECK_MEM_EQ(transfer->data, bytes, transfer->packets[0].actual);
	(void)dx_recording_free(recording);
	(void)dx_usb_pipe_unref(iso);
	tear_down(&f);
	(void)dx_capture_free(scene.capture);
}

TEST(capture_holds_large_transfers)
{
	enum { SIZE = 1 << 20 };
	struct scene scene = begin();
	struct fixture f = set_up_tapped(&scene, "virtual:gadget-zero,pattern=2", SOURCE_SINK);
	struct dx_recording *recording = NULL;
	uint8_t *bytes = calloc(1, SIZE);

	CHECK(bytes != NULL);
	CHECK_EQ(dx_usb_pipe_io(f.out, bytes, SIZE, 0, NULL), DX_USB_OK);
	recording = load(&scene);
	CHECK_EQ(nth(recording, 0x01, 0)->length, SIZE);
	CHECK_EQ(nth(recording, 0x01, 0)->actual, SIZE);
	CHECK_EQ(nth(recording, 0x01, 0)->nr_data, SIZE);
	CHECK_EQ(recording->nr_cut, 0);
	(void)dx_recording_free(recording);
	free(bytes);
	tear_down(&f);
	(void)dx_capture_free(scene.capture);
}

static struct dx_usb_transfer out_of(uint8_t *bytes, uint32_t length)
{
	return (struct dx_usb_transfer){
		.type = DX_USB_BULK, .endpoint = 1, .data = bytes, .length = length, .actual = length};
}

static const uint8_t configuration[] = {9, 2, 9, 0, 0, 1, 0, 0x80, 50};
static const uint8_t *const configurations[] = {configuration};
static const size_t lengths[] = {sizeof(configuration)};

static struct dx_usb_backend_info make_info(uint8_t address)
{
	return (struct dx_usb_backend_info){.address = address,
					    .location_id = 0x01000000,
					    .device = {18, 1},
					    .nr_configurations = 1,
					    .configurations = configurations,
					    .configuration_lengths = lengths};
}

TEST(capture_that_fills_the_disk_ends_with_a_whole_block)
{
	struct scene scene = begin();
	struct rlimit limit = {100000, 100000};
	struct dx_usb_backend_info info = make_info(5);
	struct dx_usb_tap *tap = dx_capture_tap(scene.capture);
	struct dx_recording *recording = NULL;
	uint8_t bytes[4000] = {0};
	struct dx_usb_transfer transfer = out_of(bytes, sizeof(bytes));
	struct stat status;

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	tap->opened(tap, &info);
	for (unsigned i = 0; i < 100; i++) { /* 400 kB */
		tap->submitted(tap, &info, &transfer);
		tap->completed(tap, &info, &transfer);
	}
	CHECK_EQ(stat(scene.path, &status), 0);
	CHECK_LE(status.st_size, 100000);
	CHECK_GT(status.st_size, 90000);
	recording = load(&scene); /* which would warn of half a block */
	CHECK_GT(recording->nr_transfers, 20);
	(void)dx_recording_free(recording);
	(void)dx_capture_free(scene.capture);
}

TEST(capture_cuts_what_is_larger_still)
{
	struct scene scene = begin();
	struct dx_usb_backend_info info = make_info(5);
	struct dx_usb_tap *tap = dx_capture_tap(scene.capture);
	struct dx_recording *recording = NULL;
	uint8_t *bytes = calloc(1, DX_CAPTURE_SNAPLEN);
	struct dx_usb_transfer transfer = out_of(bytes, DX_CAPTURE_SNAPLEN);

	CHECK(bytes != NULL);
	tap->opened(tap, &info);
	tap->submitted(tap, &info, &transfer);
	tap->completed(tap, &info, &transfer);
	recording = load(&scene);
	CHECK_EQ(nth(recording, 0x01, 0)->length, DX_CAPTURE_SNAPLEN);
	CHECK_EQ(nth(recording, 0x01, 0)->actual, DX_CAPTURE_SNAPLEN);
	CHECK_EQ(nth(recording, 0x01, 0)->nr_data, DX_CAPTURE_SNAPLEN - 64);
	CHECK_EQ(recording->nr_cut, 1);
	(void)dx_recording_free(recording);
	free(bytes);
	(void)dx_capture_free(scene.capture);
}

#define NR_EVENTS 300u

static void append_many(struct dx_usb_tap *tap, uint8_t address)
{
	struct dx_usb_backend_info info = make_info(address);
	uint8_t bytes[3000];
	struct dx_usb_transfer transfer = out_of(bytes, sizeof(bytes));

	memset(bytes, address, sizeof(bytes));
	tap->opened(tap, &info);
	for (unsigned i = 0; i < NR_EVENTS; i++) {
		transfer.length = transfer.actual = i * 10;
		tap->submitted(tap, &info, &transfer);
		tap->completed(tap, &info, &transfer);
	}
}

struct appender {
	struct dx_usb_tap *tap;
	uint8_t address;
};

static void *append_in_thread(void *argument)
{
	const struct appender *appender = argument;

	append_many(appender->tap, appender->address);
	return NULL;
}

/* Two threads here, and two in another process that has inherited the descriptor. */
static void append_by_two(struct dx_usb_tap *tap, uint8_t first_address)
{
	struct appender appenders[2] = {{tap, first_address}, {tap, (uint8_t)(first_address + 1)}};
	pthread_t threads[2];

	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, append_in_thread, &appenders[i]), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
}

TEST(capture_of_several_processes_has_whole_blocks)
{
	struct scene scene = begin();
	struct dx_usb_tap *tap = dx_capture_tap(scene.capture);
	pid_t child = fork();
	int status = 0;

	CHECK_GE(child, 0);
	if (child == 0) {
		append_by_two(tap, 3);
		_exit(0);
	}
	append_by_two(tap, 1);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	for (uint8_t address = 1; address <= 4; address++) {
		struct dx_recording *recording = NULL;
		char device[16];
		char message[256] = "";

		(void)snprintf(device, sizeof(device), "1.%u", address);
		CHECK_EQ(dx_recording_load(open(scene.path, O_RDONLY | O_CLOEXEC), "it", device, message,
					   sizeof(message), &recording),
			 0);
		CHECK_STR_EQ(message, "");
		CHECK_EQ(recording->nr_transfers, 3 + NR_EVENTS);
		for (unsigned i = 0; i < NR_EVENTS; i++) {
			const struct dx_recorded_transfer *transfer = &recording->transfers[3 + i];

			CHECK_EQ(transfer->length, i * 10);
			CHECK_EQ(transfer->nr_data, i * 10);
			CHECK(transfer->nr_data == 0 || transfer->data[i * 10 - 1] == address);
		}
		(void)dx_recording_free(recording);
	}
	(void)dx_capture_free(scene.capture);
}

/* What a process leaves that was killed in the middle of a write. */
static void write_half_a_block(const struct scene *scene, size_t size)
{
	const uint32_t block[64] = {6, 4000};
	int fd = open(scene->path, O_WRONLY | O_APPEND | O_CLOEXEC);

	CHECK_EQ(write(fd, block, size), (ssize_t)size);
	CHECK_EQ(close(fd), 0);
}

TEST(capture_cuts_off_what_a_killed_process_left)
{
	struct scene scene = begin();
	struct dx_usb_backend_info info = make_info(5);
	struct dx_usb_tap *tap = dx_capture_tap(scene.capture);
	struct dx_recording *recording = NULL;
	uint8_t bytes[100] = {0};
	struct dx_usb_transfer transfer = out_of(bytes, sizeof(bytes));
	int fd = open(scene.path, O_RDWR | O_CLOEXEC);

	tap->opened(tap, &info);
	for (size_t size = 1; size < 200; size += 6) {
		write_half_a_block(&scene, size);
		tap->submitted(tap, &info, &transfer);
	}
	write_half_a_block(&scene, 77);
	dx_capture_end(&fd);
	CHECK_EQ(fd, -1);
	recording = load(&scene);
	CHECK_EQ(recording->nr_transfers, 3 + 34);
	(void)dx_recording_free(recording);
	(void)dx_capture_free(scene.capture);
}

/* Another process that has the file, and keeps it to itself. @return its end of a pipe: closed, it ends. */
static int hold_file(const struct scene *scene, pid_t *ret_child)
{
	int fds[2];
	int held[2];
	char byte = 0;

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(held, O_CLOEXEC), 0);
	*ret_child = fork();
	CHECK_GE(*ret_child, 0);
	if (*ret_child == 0) {
		struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(scene->path, O_RDWR | O_CLOEXEC);

		(void)close(fds[1]);
		if (fcntl(fd, F_SETLK, &whole) == 0) {
			(void)!write(held[1], &byte, 1);
		}
		(void)!read(fds[0], &byte, 1);
		_exit(0);
	}
	(void)close(fds[0]);
	(void)close(held[1]);
	CHECK_EQ(read(held[0], &byte, 1), 1);
	(void)close(held[0]);
	return fds[1];
}

/* C4 */
TEST(capture_does_not_wait_for_who_keeps_the_file)
{
	struct scene scene = begin();
	struct dx_usb_backend_info info = make_info(5);
	struct dx_usb_tap *tap = dx_capture_tap(scene.capture);
	struct dx_recording *recording = NULL;
	uint8_t bytes[100] = {0};
	struct dx_usb_transfer transfer = out_of(bytes, sizeof(bytes));
	pid_t child = 0;
	int status = 0;
	int fd = -1;

	tap->opened(tap, &info);
	fd = hold_file(&scene, &child);
	for (unsigned i = 0; i < 1000; i++) { /* the first one gives up, for all */
		tap->submitted(tap, &info, &transfer);
	}
	(void)close(fd);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	recording = load(&scene);
	CHECK_EQ(recording->nr_transfers, 3);
	(void)dx_recording_free(recording);
	(void)dx_capture_free(scene.capture);
}

TEST(capture_names_the_file_that_it_cannot_make)
{
	char message[256] = "";

	CHECK_EQ(dx_capture_begin("/nonexistent/out.pcapng", message, sizeof(message)), -ENOENT);
	CHECK_STR_EQ(message, "/nonexistent/out.pcapng: cannot write a capture: No such file or directory");
	CHECK_EQ(dx_capture_begin("/dev/full", message, sizeof(message)), -ENOSPC);
}
