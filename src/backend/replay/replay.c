/* SPDX-License-Identifier: MIT
 *
 * replay - the backend's table over a script; see replay.h and script.h.
 *
 * Place:      backend/replay.
 * Threads:    B1 of usb/backend.h.
 */
#include "backend/replay/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/replay/script.h"
#include "backend/virtual/options.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define PREFIX		  "replay:"
#define NS_PER_MS	  1000000u
#define DEFAULT_PATIENCE  1000u /* ms */
#define MAX_PATIENCE	  3600000u
#define GET_CONFIGURATION 8u
#define SET_CONFIGURATION 9u

struct replay {
	const struct dx_usb_backend_host *host;
	void *host_ctx;
	struct dx_options options; /* options.name: the path */
	struct dx_recording *recording;
	struct dx_script script;
	struct dx_usb_backend_info info;
	struct dx_list answered; /* transfers whose result is there */
	uint64_t deadline_ns;
	bool has_work; /* something changed since the script was asked */
	bool gone;
	bool is_strict;
};

static struct replay *replay_of(struct dx_usb_backend *backend)
{
	return (struct replay *)(void *)backend;
}

static const struct replay *const_replay_of(const struct dx_usb_backend *backend)
{
	return (const struct replay *)(const void *)backend;
}

/* ---- opening ---- */

static bool replay_accepts(const char *spec)
{
	return strncmp(spec, PREFIX, strlen(PREFIX)) == 0;
}

static int open_file(const char *path, char *message, size_t message_size)
{
	struct stat status = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result = fd < 0 ? -errno : 0;

	if (result == 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
		dx_fd_close(&fd);
		result = -EINVAL;
	}
	if (result < 0) {
		(void)snprintf(message, message_size, "%s: cannot be replayed: %s", path,
			       result == -EINVAL ? "not a file" : strerror(-result));
		return result;
	}
	return fd;
}

static int replay_acquire(const char *spec, char *message, size_t message_size)
{
	DX_CLEANUP_FREE struct dx_options *options = calloc(1, sizeof(*options));
	int result = options == NULL ? -ENOMEM
				     : dx_options_parse(options, spec + strlen(PREFIX), message,
							message_size);

	return result < 0 ? result : open_file(options->name, message, message_size);
}

/* As the packet sizes say; a recording does not. */
static uint8_t guess_speed(const struct dx_recording *recording)
{
	uint8_t speed = DX_USB_SPEED_FULL;

	if (recording->device[7] == 9) { /* bMaxPacketSize0 is an exponent from USB 3 on */
		return DX_USB_SPEED_SUPER;
	}
	for (unsigned i = 0; i < recording->nr_configurations; i++) {
		const uint8_t *bytes = recording->configurations[i];
		size_t left = recording->configuration_lengths[i];

		while (left >= 2 && bytes[0] >= 2 && bytes[0] <= left) {
			bool is_bulk = bytes[1] == 5 && bytes[0] >= 7 && (bytes[3] & 3) == DX_USB_BULK;

			if (is_bulk && bytes[5] == 2) { /* 512 */
				speed = DX_USB_SPEED_HIGH;
			}
			left -= bytes[0];
			bytes += bytes[0];
		}
	}
	return speed;
}

/* What was in force when the recording began, or what was chosen first. */
static uint8_t find_configuration(const struct dx_recording *recording)
{
	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *recorded = &recording->transfers[i];

		if (recorded->type != DX_USB_CONTROL || recorded->completed_at == 0 ||
		    recorded->status != DX_USB_OK) {
			continue;
		}
		if (recorded->setup[0] == 0x80 && recorded->setup[1] == GET_CONFIGURATION &&
		    recorded->nr_data != 0) {
			return recorded->data[0];
		}
		if (recorded->setup[0] == 0 && recorded->setup[1] == SET_CONFIGURATION) {
			return recorded->setup[2];
		}
	}
	return 0;
}

static int fill_info(struct replay *replay)
{
	static const char *const speeds[] = {"none", "full", "low", "high", "super", "super-plus",
					     NULL}; /* enum dx_usb_speed */
	struct dx_usb_backend_info *info = &replay->info;
	const struct dx_recording *recording = replay->recording;

	info->speed = (uint8_t)dx_options_choice(&replay->options, "speed", speeds,
						 guess_speed(recording));
	if (info->speed == DX_USB_SPEED_NONE) {
		dx_options_fail(&replay->options,
				"speed=none: not one of full, low, high, super, super-plus");
	}
	info->address = recording->address;
	info->location_id = (uint32_t)dx_options_number(
		&replay->options, "location", 0, UINT32_MAX,
		(uint32_t)(recording->bus & 0xff) << 24 | recording->address);
	info->configuration = (uint8_t)dx_options_number(&replay->options, "configuration", 0, 255,
							 find_configuration(recording));
	memcpy(info->device, recording->device, sizeof(info->device));
	info->device[17] = (uint8_t)recording->nr_configurations;
	info->nr_configurations = recording->nr_configurations;
	info->configurations = recording->configurations;
	info->configuration_lengths = recording->configuration_lengths;
	info->bos = recording->bos;
	info->bos_length = recording->bos_length;
	return replay->options.result;
}

static int load(struct replay *replay, int fd, char *message, size_t message_size)
{
	static const char *const timings[] = {"none", "recorded", NULL};
	DX_CLEANUP_FD int own_fd = fd;
	const char *device = dx_options_string(&replay->options, "device", NULL);
	bool keeps_time = dx_options_choice(&replay->options, "timing", timings, 0) == 1;
	uint64_t patience = dx_options_number(&replay->options, "patience-ms", 1, MAX_PATIENCE,
					      DEFAULT_PATIENCE);
	int result = 0;

	if (replay->options.result < 0) {
		return replay->options.result;
	}
	if (own_fd < 0) {
		own_fd = open_file(replay->options.name, message, message_size);
		if (own_fd < 0) {
			return own_fd;
		}
	}
	result = dx_recording_load(dx_take_fd(&own_fd), replay->options.name, device, message,
				   message_size, &replay->recording);
	if (result < 0) {
		return result;
	}
	if (message[0] != '\0') {
		dx_log_warning("replay of %s", message);
		message[0] = '\0';
	}
	if (replay->recording->nr_cut != 0) {
		dx_log_warning("replay of %s: %u transfers were not captured in full; what is missing is "
			       "zeros, and not compared",
			       replay->options.name, replay->recording->nr_cut);
	}
	result = dx_script_init(&replay->script, replay->recording, replay->options.name);
	replay->script.keeps_time = keeps_time;
	replay->script.patience_ns = patience * NS_PER_MS;
	replay->is_strict = dx_options_flag(&replay->options, "strict", false);
	return result;
}

static void replay_free(struct replay *replay)
{
	dx_script_fini(&replay->script);
	(void)dx_recording_free(replay->recording);
	free(replay);
}

static void replay_cleanup(struct replay **replay)
{
	if (*replay != NULL) {
		replay_free(*replay);
	}
}

static int replay_open(const char *spec, int fd, const struct dx_usb_backend_host *host,
		       void *host_ctx, char *message, size_t message_size,
		       struct dx_usb_backend **ret_backend)
{
	DX_CLEANUP_FD int own_fd = fd;
	DX_CLEANUP(replay_cleanup) struct replay *replay = calloc(1, sizeof(*replay));
	int result = 0;

	if (replay == NULL) {
		return -ENOMEM;
	}
	replay->host = host;
	replay->host_ctx = host_ctx;
	replay->deadline_ns = UINT64_MAX;
	dx_list_init(&replay->answered);
	result = dx_options_parse(&replay->options, spec + strlen(PREFIX), message, message_size);
	if (result == 0) {
		result = load(replay, dx_take_fd(&own_fd), message, message_size);
	}
	if (result == 0) {
		result = fill_info(replay);
	}
	if (result == 0) {
		result = dx_options_finish(&replay->options);
	}
	if (result < 0) {
		return result;
	}
	replay->options.message = NULL; /* the caller's */
	*ret_backend = (struct dx_usb_backend *)(void *)dx_take_ptr(&replay);
	return 0;
}

static void replay_close(struct dx_usb_backend *backend)
{
	struct replay *replay = replay_of(backend);

	dx_script_summarize(&replay->script);
	replay_free(replay);
}

static const struct dx_usb_backend_info *replay_info(const struct dx_usb_backend *backend)
{
	return &const_replay_of(backend)->info;
}

static int replay_claim(struct dx_usb_backend *backend, uint8_t interface_number)
{
	(void)backend;
	(void)interface_number;
	return 0;
}

static void replay_release(struct dx_usb_backend *backend, uint8_t interface_number)
{
	(void)backend;
	(void)interface_number;
}

/* ---- transfers ---- */

static int replay_submit(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct replay *replay = replay_of(backend);

	if (replay->gone) {
		return -ENODEV;
	}
	if (!dx_script_submit(&replay->script, transfer, dx_clock_now_ns())) {
		dx_list_push_back(&replay->answered, &transfer->link);
	}
	replay->has_work = true;
	return 0;
}

static void replay_cancel(struct dx_usb_backend *backend, struct dx_usb_transfer *transfer)
{
	struct replay *replay = replay_of(backend);
	bool is_stream = transfer->type == DX_USB_BULK || transfer->type == DX_USB_INTERRUPT;

	dx_list_remove(&transfer->link);
	transfer->status = DX_USB_ABORTED;
	if (!is_stream || (transfer->endpoint & 0x80) == 0) {
		transfer->actual = 0; /* it had its result, and was never answered */
	}
	replay->has_work = true; /* the one behind it may go on */
	replay->host->complete(replay->host_ctx, transfer);
}

/* Requests that change nothing here. */
static int accept(struct dx_usb_backend *backend, struct dx_usb_transfer *done)
{
	struct replay *replay = replay_of(backend);

	if (replay->gone) {
		return -ENODEV;
	}
	done->status = DX_USB_OK;
	done->actual = 0;
	dx_list_push_back(&replay->answered, &done->link);
	replay->has_work = true;
	return 0;
}

static int replay_set_configuration(struct dx_usb_backend *backend, uint8_t value,
				    struct dx_usb_transfer *done)
{
	(void)value;
	return accept(backend, done);
}

static int replay_set_altsetting(struct dx_usb_backend *backend, uint8_t interface_number,
				 uint8_t setting, struct dx_usb_transfer *done)
{
	(void)interface_number;
	(void)setting;
	return accept(backend, done);
}

static int replay_clear_halt(struct dx_usb_backend *backend, uint8_t endpoint, bool with_request,
			     struct dx_usb_transfer *done)
{
	(void)with_request;
	dx_script_lane(&replay_of(backend)->script, endpoint, DX_USB_BULK)->halted = false;
	return accept(backend, done);
}

static int replay_reset(struct dx_usb_backend *backend, struct dx_usb_transfer *done)
{
	(void)backend;
	(void)done;
	return -EOPNOTSUPP;
}

/* ---- events ---- */

static void complete_all(struct replay *replay, struct dx_list *queue, int32_t status)
{
	while (!dx_list_is_empty(queue)) {
		struct dx_usb_transfer *transfer =
			dx_list_entry(dx_list_pop_front(queue), struct dx_usb_transfer, link);

		if (status != DX_USB_OK) {
			transfer->status = status;
		}
		replay->host->complete(replay->host_ctx, transfer);
	}
}

/* The recorded device went, or strict=yes and the driver did otherwise. */
static void go(struct replay *replay)
{
	replay->gone = true;
	replay->deadline_ns = UINT64_MAX;
	for (unsigned i = 0; i < DX_LANES; i++) {
		complete_all(replay, &replay->script.lanes[i].queue, DX_USB_NOT_RESPONDING);
	}
	replay->host->gone(replay->host_ctx);
}

static bool replay_is_ready(const struct dx_usb_backend *backend)
{
	return const_replay_of(backend)->has_work;
}

static void replay_poll(struct dx_usb_backend *backend)
{
	struct replay *replay = replay_of(backend);
	struct dx_usb_transfer *transfer = NULL;
	uint64_t now_ns = dx_clock_now_ns();

	if (replay->gone || (!replay->has_work && now_ns < replay->deadline_ns)) {
		return;
	}
	replay->has_work = false;
	complete_all(replay, &replay->answered, DX_USB_OK);
	while ((transfer = dx_script_next(&replay->script, now_ns, &replay->deadline_ns)) != NULL) {
		replay->host->complete(replay->host_ctx, transfer);
	}
	if (replay->script.is_unplugged ||
	    (replay->is_strict && replay->script.nr_divergences != 0)) {
		go(replay);
	}
}

static int replay_event_fd(const struct dx_usb_backend *backend)
{
	(void)backend;
	return -1;
}

static uint64_t replay_next_deadline_ns(const struct dx_usb_backend *backend)
{
	return const_replay_of(backend)->deadline_ns;
}

static int replay_frame_number(struct dx_usb_backend *backend, uint64_t *ret_frame,
			       uint64_t *ret_time_ns)
{
	(void)backend;
	*ret_time_ns = dx_clock_now_ns();
	*ret_frame = *ret_time_ns / NS_PER_MS;
	return 0;
}

const struct dx_usb_backend_ops dx_backend_replay = {
	.name = "replay",
	.accepts = replay_accepts,
	.acquire = replay_acquire,
	.open = replay_open,
	.close = replay_close,
	.info = replay_info,
	.claim = replay_claim,
	.release = replay_release,
	.submit = replay_submit,
	.cancel = replay_cancel,
	.set_configuration = replay_set_configuration,
	.set_altsetting = replay_set_altsetting,
	.clear_halt = replay_clear_halt,
	.reset = replay_reset,
	.is_ready = replay_is_ready,
	.poll = replay_poll,
	.event_fd = replay_event_fd,
	.next_deadline_ns = replay_next_deadline_ns,
	.frame_number = replay_frame_number,
};
