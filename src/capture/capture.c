/* SPDX-License-Identifier: MIT
 *
 * capture - pcapng blocks, appended whole; see capture.h.
 *
 * Place:      capture.
 * Format:     the pcapng Internet-Draft: section header, interface description, enhanced packets.
 */
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "capture/usbmon.h"

#define FIRST_PAUSE_NS 20000
#define LAST_PAUSE_NS  1000000
#define MAX_ISO	       128u /* packets of one transfer that are described, as in usbmon */

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_IF_NAME = 2,
	OPTION_IF_TSRESOL = 9,
	NANOSECONDS = 9,
	GET_DESCRIPTOR = 6,
	GET_CONFIGURATION = 8,
};

struct dx_capture {
	struct dx_usb_tap tap; /* first */
	int fd;
	bool is_file; /* can be locked and cut */
	struct dx_mutex lock;
	bool stopped DX_GUARDED_BY(lock);
	off_t end DX_GUARDED_BY(lock); /* of the last block that is known to be whole */
};

struct section_block {
	uint32_t type;
	uint32_t size;
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t length[2];
	uint32_t size_again;
};

struct interface_block {
	uint32_t type;
	uint32_t size;
	uint16_t link_type;
	uint16_t reserved;
	uint32_t snaplen;
};

struct packet_block {
	uint32_t type;
	uint32_t size;
	uint32_t interface;
	uint32_t time_high;
	uint32_t time_low;
	uint32_t captured;
	uint32_t length;
};

struct option {
	uint16_t code;
	uint16_t length;
};

/* One event, put together before it is written. */
struct event {
	struct dx_usbmon_header header;
	struct dx_usbmon_iso iso[MAX_ISO];
	const void *data;
	uint32_t length; /* of data */
	const char *comment;
};

static uint32_t padding_of(uint32_t length)
{
	return (4 - length % 4) % 4;
}

/* ---- writing ---- */

static int write_parts(int fd, const struct iovec *parts, int nr_parts, size_t size)
{
	ssize_t written = 0;

	do {
		written = writev(fd, parts, nr_parts);
	} while (written < 0 && errno == EINTR);
	if (written < 0) {
		return -errno;
	}
	return (size_t)written == size ? 0 : -ENOSPC;
}

struct block_begin {
	uint32_t type;
	uint32_t size;
};

/* The block that begins there is whole. */
static bool is_block(int fd, off_t at, off_t end, uint32_t *ret_size)
{
	struct block_begin begin = {0};
	uint32_t again = 0;

	if (pread(fd, &begin, sizeof(begin), at) != (ssize_t)sizeof(begin) ||
	    begin.size < sizeof(begin) + sizeof(again) || begin.size % 4 != 0 ||
	    begin.size > end - at ||
	    pread(fd, &again, sizeof(again), at + begin.size - (off_t)sizeof(again)) !=
		    (ssize_t)sizeof(again)) {
		return false;
	}
	*ret_size = begin.size;
	return again == begin.size && (begin.type == BLOCK_SECTION || begin.type == BLOCK_INTERFACE ||
				       begin.type == BLOCK_PACKET);
}

/* C1. Looks at the last block; only when that is none, from `from` on, which is known to be good. */
static int cut_broken_end(int fd, off_t from, off_t *size)
{
	uint32_t length = 0;

	if (*size >= (off_t)sizeof(length) &&
	    pread(fd, &length, sizeof(length), *size - (off_t)sizeof(length)) ==
		    (ssize_t)sizeof(length) &&
	    length <= *size && is_block(fd, *size - length, *size, &length)) {
		return 0;
	}
	while (is_block(fd, from, *size, &length)) {
		from += length;
	}
	*size = from;
	return ftruncate(fd, from) < 0 ? -errno : 0;
}

/* Whether the file is free now, or cannot be locked at all. */
static bool try_lock(const struct dx_capture *capture)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return !capture->is_file || fcntl(capture->fd, F_SETLK, &whole) == 0 ||
	       (errno != EAGAIN && errno != EACCES && errno != EINTR);
}

/* C4. Who holds it writes one block, or is driver code that wants to be waited for. */
static int lock_file(const struct dx_capture *capture)
{
	uint64_t limit_ns = 0;
	struct timespec pause = {.tv_nsec = FIRST_PAUSE_NS};

	while (!try_lock(capture)) {
		uint64_t now_ns = dx_clock_now_ns();

		limit_ns = limit_ns == 0 ? now_ns + DX_CAPTURE_LOCK_NS : limit_ns;
		if (now_ns >= limit_ns) {
			return -EBUSY;
		}
		(void)nanosleep(&pause, NULL); /* a short one is as good */
		pause.tv_nsec = pause.tv_nsec < LAST_PAUSE_NS ? 2 * pause.tv_nsec : LAST_PAUSE_NS;
	}
	return 0;
}

static void unlock_file(const struct dx_capture *capture)
{
	struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	if (capture->is_file) {
		(void)fcntl(capture->fd, F_SETLK, &whole); /* never waits; what could not be locked */
	}
}

/* C1. POSIX locks count between processes, the mutex between our threads. */
static int append_locked(struct dx_capture *capture, const struct iovec *parts, int nr_parts,
			 size_t size) DX_REQUIRES(capture->lock)
{
	struct stat before = {0};
	int result = lock_file(capture);

	if (result < 0) {
		return result;
	}
	result = fstat(capture->fd, &before) < 0 ? -errno : 0;
	if (result == 0 && capture->is_file && before.st_size != capture->end) {
		result = cut_broken_end(capture->fd, capture->end, &before.st_size);
	}
	if (result == 0) {
		result = write_parts(capture->fd, parts, nr_parts, size);
	}
	capture->end = before.st_size + (result == 0 ? (off_t)size : 0);
	if (result < 0 && capture->is_file && ftruncate(capture->fd, before.st_size) < 0) {
		dx_log_warning("capture: its last block could not be cut off: %s", strerror(errno));
	}
	unlock_file(capture);
	return result;
}

static void append(struct dx_capture *capture, const struct iovec *parts, int nr_parts, size_t size)
{
	dx_mutex_lock(&capture->lock);
	if (!capture->stopped) {
		int result = append_locked(capture, parts, nr_parts, size);

		if (result < 0) { /* C2 */
			capture->stopped = true;
			dx_log_error("capture: cannot be written any further: %s; the traffic goes on",
				     result == -EBUSY ? "another process holds the file"
						      : strerror(-result));
		}
	}
	dx_mutex_unlock(&capture->lock);
}

static size_t put_option(uint8_t *to, uint16_t code, const void *value, uint16_t length)
{
	const struct option option = {.code = code, .length = length};
	size_t padded = length + padding_of(length);

	memcpy(to, &option, sizeof(option));
	memset(to + sizeof(option), 0, padded);
	if (length != 0) {
		memcpy(to + sizeof(option), value, length);
	}
	return sizeof(option) + padded;
}

static void write_event(struct dx_capture *capture, struct event *event)
{
	static const uint8_t zeros[4] = {0};
	struct packet_block block = {.type = BLOCK_PACKET};
	uint32_t iso_size = event->header.nr_descriptors * (uint32_t)sizeof(event->iso[0]);
	uint32_t room = DX_CAPTURE_SNAPLEN - (uint32_t)sizeof(event->header) - iso_size;
	uint32_t kept = event->length < room ? event->length : room;
	uint8_t tail[128];
	size_t tail_size = padding_of(kept);
	struct timespec now = {0};
	uint64_t ns = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	event->header.seconds = now.tv_sec;
	event->header.microseconds = (int32_t)(now.tv_nsec / 1000);
	event->header.captured = iso_size + kept;
	block.time_high = (uint32_t)(ns >> 32);
	block.time_low = (uint32_t)ns;
	block.captured = (uint32_t)sizeof(event->header) + iso_size + kept;
	block.length = (uint32_t)sizeof(event->header) + iso_size + event->length;

	memcpy(tail, zeros, tail_size);
	if (event->comment != NULL) {
		tail_size += put_option(tail + tail_size, OPTION_COMMENT, event->comment,
					(uint16_t)strlen(event->comment));
		tail_size += put_option(tail + tail_size, OPTION_END, NULL, 0);
	}
	block.size = (uint32_t)(sizeof(block) + block.captured + tail_size + sizeof(block.size));
	memcpy(tail + tail_size, &block.size, sizeof(block.size));
	tail_size += sizeof(block.size);

	const struct iovec parts[] = {
		{&block, sizeof(block)},
		{&event->header, sizeof(event->header)},
		{event->iso, iso_size},
		{(void *)(uintptr_t)event->data, kept},
		{tail, tail_size},
	};
	append(capture, parts, sizeof(parts) / sizeof(parts[0]), block.size);
}

/* ---- events ---- */

/* Without a data stage a control request goes out, whatever its setup packet says: so does Linux. */
static uint8_t endpoint_of(const struct dx_usb_transfer *transfer)
{
	if (transfer->type != DX_USB_CONTROL) {
		return transfer->endpoint;
	}
	return transfer->length == 0
		       ? transfer->endpoint
		       : (uint8_t)(transfer->endpoint | (transfer->setup[0] & 0x80));
}

static uint64_t id_of(const struct dx_usb_transfer *transfer)
{
	/* Addresses of different hosts may be the same. */
	return (uint64_t)(uintptr_t)transfer ^ (uint64_t)getpid() << 48;
}

static void fill_header(struct event *event, const struct dx_usb_backend_info *info,
			const struct dx_usb_transfer *transfer, uint8_t kind)
{
	struct dx_usbmon_header *header = &event->header;

	*header = (struct dx_usbmon_header){
		.id = id_of(transfer),
		.event = kind,
		.type = dx_usbmon_type(transfer->type),
		.endpoint = endpoint_of(transfer),
		.device = info->address,
		.bus = (uint16_t)(info->location_id >> 24),
		.setup_flag = '-',
		.status = -EINPROGRESS,
		.length = transfer->length,
	};
	event->data = NULL;
	event->length = 0;
	event->comment = NULL;
}

/* IN data travels with the completion, OUT data with the submission. */
static void fill_data(struct event *event, const struct dx_usb_transfer *transfer, uint32_t length)
{
	bool is_in = event->header.endpoint & 0x80;
	bool is_completion = event->header.event == DX_USBMON_COMPLETE;

	if (is_in == is_completion) {
		event->data = transfer->data;
		event->length = transfer->data == NULL ? 0 : length;
	} else {
		event->header.data_flag = is_in ? '<' : '>';
	}
}

/* @return bytes up to the last one that moved. */
static uint32_t fill_iso(struct event *event, const struct dx_usb_transfer *transfer,
			 bool is_completion)
{
	uint32_t nr = transfer->nr_packets < MAX_ISO ? transfer->nr_packets : MAX_ISO;
	uint32_t offset = 0;
	uint32_t end = 0;

	for (uint32_t i = 0; i < nr; i++) {
		const struct dx_usb_packet *packet = &transfer->packets[i];

		event->iso[i] = (struct dx_usbmon_iso){
			.status = is_completion ? dx_usbmon_status(packet->status) : -EXDEV,
			.offset = offset,
			.length = is_completion ? packet->actual : packet->length,
		};
		event->header.iso.nr_errors += is_completion && packet->status != DX_USB_OK;
		if (event->iso[i].length != 0) {
			end = offset + event->iso[i].length;
		}
		offset += packet->length;
	}
	event->header.nr_descriptors = nr;
	event->header.iso.nr_descriptors = (int32_t)transfer->nr_packets;
	event->header.start_frame = (int32_t)transfer->first_frame;
	event->header.interval = 1;
	return end < transfer->length ? end : transfer->length;
}

static struct dx_capture *capture_of(struct dx_usb_tap *tap)
{
	return (struct dx_capture *)(void *)tap;
}

static void fill_submission(struct event *event, const struct dx_usb_backend_info *info,
			    const struct dx_usb_transfer *transfer, uint8_t kind)
{
	uint32_t length = transfer->length;

	fill_header(event, info, transfer, kind);
	if (transfer->type == DX_USB_CONTROL) {
		event->header.setup_flag = 0;
		memcpy(event->header.setup, transfer->setup, sizeof(event->header.setup));
	} else if (transfer->type == DX_USB_ISOCHRONOUS) {
		length = fill_iso(event, transfer, false);
	}
	fill_data(event, transfer, length);
}

static void tap_submitted(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info,
			  const struct dx_usb_transfer *transfer)
{
	struct event event;

	fill_submission(&event, info, transfer, DX_USBMON_SUBMIT);
	write_event(capture_of(tap), &event);
}

static void tap_refused(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info,
			const struct dx_usb_transfer *transfer, int error)
{
	struct event event;

	fill_header(&event, info, transfer, DX_USBMON_ERROR);
	event.header.status = error;
	event.header.length = 0;
	event.header.data_flag = event.header.endpoint & 0x80 ? '<' : '>';
	write_event(capture_of(tap), &event);
}

static void tap_completed(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info,
			  const struct dx_usb_transfer *transfer)
{
	struct event event;
	uint32_t actual = transfer->actual < transfer->length ? transfer->actual : transfer->length;
	uint32_t length = actual;

	fill_header(&event, info, transfer, DX_USBMON_COMPLETE);
	event.header.status = dx_usbmon_status(transfer->status);
	event.header.length = actual;
	if (transfer->type == DX_USB_ISOCHRONOUS) {
		length = fill_iso(&event, transfer, true);
	}
	fill_data(&event, transfer, length);
	write_event(capture_of(tap), &event);
}

/* A standard request that reads what we know already. */
static void write_answer(struct dx_capture *capture, const struct dx_usb_backend_info *info,
			 uint8_t request, uint8_t type, uint8_t index, const void *bytes,
			 size_t length)
{
	uint16_t size = (uint16_t)(length < UINT16_MAX ? length : UINT16_MAX);
	const struct dx_usb_transfer transfer = {
		.type = DX_USB_CONTROL,
		.setup = {0x80, request, index, type, 0, 0, (uint8_t)size, (uint8_t)(size >> 8)},
		.data = (uint8_t *)(uintptr_t)bytes,
		.length = size,
		.actual = size,
		.status = DX_USB_OK,
	};
	struct event event;

	fill_submission(&event, info, &transfer, DX_USBMON_SUBMIT);
	event.comment = "as the device said when it was opened";
	write_event(capture, &event);
	fill_header(&event, info, &transfer, DX_USBMON_COMPLETE);
	event.header.status = 0;
	fill_data(&event, &transfer, size);
	event.comment = "as the device said when it was opened";
	write_event(capture, &event);
}

static void tap_opened(struct dx_usb_tap *tap, const struct dx_usb_backend_info *info)
{
	struct dx_capture *capture = capture_of(tap);

	write_answer(capture, info, GET_DESCRIPTOR, 1, 0, info->device, sizeof(info->device));
	for (unsigned i = 0; i < info->nr_configurations; i++) {
		write_answer(capture, info, GET_DESCRIPTOR, 2, (uint8_t)i, info->configurations[i],
			     info->configuration_lengths[i]);
	}
	if (info->bos != NULL) {
		write_answer(capture, info, GET_DESCRIPTOR, 15, 0, info->bos, info->bos_length);
	}
	write_answer(capture, info, GET_CONFIGURATION, 0, 0, &info->configuration,
		     sizeof(info->configuration));
}

/* ---- begin and end ---- */

static size_t put_beginning(uint8_t *to)
{
	static const char name[] = "opendext";
	static const uint8_t resolution = NANOSECONDS;
	const struct section_block section = {
		.type = BLOCK_SECTION,
		.size = sizeof(section),
		.magic = BYTE_ORDER_MAGIC,
		.major = 1,
		.length = {UINT32_MAX, UINT32_MAX}, /* not known */
		.size_again = sizeof(section),
	};
	struct interface_block interface = {
		.type = BLOCK_INTERFACE,
		.link_type = DX_USBMON_LINKTYPE,
		.snaplen = DX_CAPTURE_SNAPLEN,
	};
	size_t size = sizeof(section) + sizeof(interface);

	size += put_option(to + size, OPTION_IF_NAME, name, sizeof(name) - 1);
	size += put_option(to + size, OPTION_IF_TSRESOL, &resolution, sizeof(resolution));
	size += put_option(to + size, OPTION_END, NULL, 0);
	interface.size = (uint32_t)(size - sizeof(section) + sizeof(interface.size));
	memcpy(to, &section, sizeof(section));
	memcpy(to + sizeof(section), &interface, sizeof(interface));
	memcpy(to + size, &interface.size, sizeof(interface.size));
	return size + sizeof(interface.size);
}

int dx_capture_begin(const char *path, char *message, size_t message_size)
{
	DX_CLEANUP_FD int fd = -1;
	uint8_t beginning[128];
	size_t size = put_beginning(beginning);
	const struct iovec part = {beginning, size};
	int result = 0;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	result = fd < 0 ? -errno : write_parts(fd, &part, 1, size);
	if (result < 0) {
		(void)snprintf(message, message_size, "%s: cannot write a capture: %s", path,
			       strerror(-result));
		return result;
	}
	return dx_take_fd(&fd);
}

void dx_capture_end(int *fd)
{
	struct stat status = {0};

	if (*fd >= 0 && fstat(*fd, &status) == 0 && S_ISREG(status.st_mode)) {
		(void)cut_broken_end(*fd, 0, &status.st_size); /* a reader will say it otherwise */
	}
	dx_fd_close(fd);
}

int dx_capture_new(int fd, struct dx_capture **ret_capture)
{
	DX_CLEANUP_FD int own_fd = fd;
	struct dx_capture *capture = calloc(1, sizeof(*capture));
	struct stat status = {0};

	if (capture == NULL) {
		return -ENOMEM;
	}
	capture->tap.opened = tap_opened;
	capture->tap.submitted = tap_submitted;
	capture->tap.refused = tap_refused;
	capture->tap.completed = tap_completed;
	capture->is_file = fstat(own_fd, &status) == 0 && S_ISREG(status.st_mode);
	capture->fd = dx_take_fd(&own_fd);
	dx_mutex_init(&capture->lock);
	*ret_capture = capture;
	return 0;
}

struct dx_capture *dx_capture_free(struct dx_capture *capture)
{
	if (capture != NULL) {
		dx_fd_close(&capture->fd);
		dx_mutex_fini(&capture->lock);
		free(capture);
	}
	return NULL;
}

struct dx_usb_tap *dx_capture_tap(struct dx_capture *capture)
{
	return &capture->tap;
}
