/* SPDX-License-Identifier: MIT
 *
 * mass_storage - a disk over a file: mass storage class, bulk-only transport.
 *
 * Place:      backend/virtual. "virtual:mass-storage,file=PATH,key=value..."; scsi.c knows the
 *             commands.
 *
 *   interface 0  bulk IN 0x81, bulk OUT 0x01
 *   command (OUT)  0 "USBC"  4 tag  8 length of the data  12 bit 7: to the host  13 unit
 *                 14 length of the command block  15..30 command block
 *   status (IN)    0 "USBS"  4 tag  8 residue  12 0 good, 1 failed, 2 phase error
 *
 * Invariants:
 *   M1  One command at a time: COMMAND, then data, then STATUS. An endpoint whose turn it is not
 *       answers NAK.
 *   M2  Data moves only if host and device agree on its direction, and never more than either
 *       wants. Where the host expects more, its endpoint halts behind the data; where they
 *       contradict each other nothing moves and the status is a phase error.
 *   M3  residue = what the host wanted moved - what the device has processed.
 *   M4  After a command that is none, both endpoints halt, and halt again when they are cleared,
 *       until the reset request.
 * Trust:      the command is copied out of the transfer once; only the copy is checked and used.
 *             Data goes straight between transfer and file, unread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/virtual/catalog.h"
#include "backend/virtual/model.h"
#include "backend/virtual/preset.h"
#include "backend/virtual/scsi.h"
#include "base/cleanup.h"

#define IN_ADDRESS     0x81u
#define OUT_ADDRESS    0x01u
#define COMMAND_LENGTH 31u
#define STATUS_LENGTH  13u

enum {
	OUT_INTERFACE_CLASS = 0x21,
	IN_INTERFACE_CLASS = 0xA1,
	GET_MAX_LUN = 0xFE,
	RESET = 0xFF,
};

enum phase {
	PHASE_COMMAND = 0,
	PHASE_DATA_IN,
	PHASE_DATA_OUT,
	PHASE_STATUS,
	PHASE_BROKEN, /* M4 */
};

enum status {
	STATUS_GOOD = 0,
	STATUS_FAILED = 1,
	STATUS_PHASE_ERROR = 2,
};

struct storage {
	struct dx_model model;
	struct dx_scsi scsi;
	struct dx_virtual_endpoint *in;
	struct dx_virtual_endpoint *out;
	enum phase phase;
	uint32_t tag;
	uint32_t wanted; /* by the host */
	uint32_t moved;
	uint32_t limit; /* of moved: the smaller of what both want (M2) */
	enum status status;
	struct dx_scsi_plan plan;
};

static struct storage *storage_of(struct dx_model *model)
{
	return dx_container_of(model, struct storage, model);
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void put32(uint8_t *bytes, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		bytes[i] = (uint8_t)(value >> 8 * i);
	}
}

static void enter(struct storage *storage, enum phase phase)
{
	storage->phase = phase;
	if (storage->in != NULL) {
		dx_virtual_kick(storage->in);
	}
	if (storage->out != NULL) {
		dx_virtual_kick(storage->out);
	}
}

static void halt(struct dx_virtual_endpoint *endpoint)
{
	if (endpoint != NULL) {
		dx_virtual_halt(endpoint);
	}
}

static void break_down(struct storage *storage)
{
	enter(storage, PHASE_BROKEN);
	halt(storage->in);
	halt(storage->out);
}

/* ---- commands ---- */

/* The data is over; where the host wanted more, it hears that by a stall (M2). */
static void end_data(struct storage *storage, bool is_in, bool halts)
{
	if (halts && storage->moved < storage->wanted) {
		halt(is_in ? storage->in : storage->out);
	}
	enter(storage, PHASE_STATUS);
}

static void begin_data(struct storage *storage, bool wants_in)
{
	const struct dx_scsi_plan *plan = &storage->plan;
	bool has_in = plan->kind == DX_SCSI_ANSWER || plan->kind == DX_SCSI_READ;

	if (plan->length == 0 || plan->kind == DX_SCSI_NO_DATA) {
		end_data(storage, wants_in, true);
		return;
	}
	if (plan->length > storage->wanted || wants_in != has_in) {
		storage->status = STATUS_PHASE_ERROR;
		end_data(storage, wants_in, true);
		return;
	}
	storage->limit = (uint32_t)plan->length;
	enter(storage, has_in ? PHASE_DATA_IN : PHASE_DATA_OUT);
}

static void run_command(struct storage *storage, const uint8_t *bytes)
{
	uint8_t length = bytes[14];

	if (memcmp(bytes, "USBC", 4) != 0 || (bytes[12] & 0x7F) != 0 || (bytes[13] & 0xF0) != 0 ||
	    length == 0 || length > DX_SCSI_COMMAND_MAX) {
		break_down(storage);
		return;
	}
	storage->tag = get32(bytes + 4);
	storage->wanted = get32(bytes + 8);
	storage->moved = 0;
	storage->limit = 0;
	dx_scsi_start(&storage->scsi, bytes + 15, length, bytes[13], &storage->plan);
	storage->status = storage->plan.failed ? STATUS_FAILED : STATUS_GOOD;
	begin_data(storage, (bytes[12] & 0x80) != 0);
}

static void take_command(struct storage *storage, struct dx_usb_transfer *transfer)
{
	uint8_t bytes[COMMAND_LENGTH];

	if (transfer->length != COMMAND_LENGTH) {
		break_down(storage);
		return; /* the halt ends the transfer */
	}
	memcpy(bytes, transfer->data, sizeof(bytes));
	transfer->actual = COMMAND_LENGTH;
	dx_virtual_finish(storage->out, transfer, DX_USB_OK);
	run_command(storage, bytes);
}

/* ---- data ---- */

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* @return true when the part was moved; false: it failed, and the endpoint halts. */
static bool move(struct storage *storage, struct dx_usb_transfer *transfer, uint32_t length)
{
	bool is_in = storage->phase == PHASE_DATA_IN;

	if (length == 0) {
		return true;
	}
	if (dx_scsi_move(&storage->scsi, &storage->plan, storage->moved,
			 transfer->data + transfer->actual, length) < 0) {
		storage->status = STATUS_FAILED;
		storage->limit = storage->moved;
		halt(is_in ? storage->in : storage->out);
		enter(storage, PHASE_STATUS);
		return false;
	}
	transfer->actual += length;
	storage->moved += length;
	return true;
}

static void give_data(struct storage *storage, struct dx_usb_transfer *transfer)
{
	uint32_t limit = dx_virtual_limit(storage->in, transfer);
	uint32_t left = 0;
	bool is_short = false;
	bool is_cut = false;

	if (!move(storage, transfer,
		  min32(limit - transfer->actual, storage->limit - storage->moved))) {
		return;
	}
	left = storage->limit - storage->moved;
	is_cut = limit < transfer->length && left != 0; /* a fault made the packet short */
	is_short = transfer->actual % storage->in->max_packet != 0;
	if (left == 0 && storage->moved < storage->wanted && !is_short &&
	    transfer->actual < transfer->length) {
		end_data(storage, true, true); /* only the halt can end this transfer */
		return;
	}
	storage->moved += dx_virtual_finish_in(storage->in, transfer, left);
	if (is_cut || storage->moved == storage->limit) {
		end_data(storage, true, !is_cut);
	}
}

static void take_data(struct storage *storage, struct dx_usb_transfer *transfer)
{
	bool is_short = transfer->length % storage->out->max_packet != 0 || transfer->length == 0;

	if (!move(storage, transfer,
		  min32(transfer->length - transfer->actual, storage->limit - storage->moved))) {
		return;
	}
	if (transfer->actual < transfer->length) {
		if (storage->limit == storage->wanted) {
			break_down(storage); /* more than the command has announced */
		} else {
			end_data(storage, false, true); /* the halt ends the transfer */
		}
		return;
	}
	dx_virtual_finish(storage->out, transfer, DX_USB_OK);
	if (storage->moved == storage->limit || is_short) {
		end_data(storage, false, !is_short);
	}
}

static void give_status(struct storage *storage, struct dx_usb_transfer *transfer)
{
	uint8_t bytes[STATUS_LENGTH] = {'U', 'S', 'B', 'S'};

	put32(bytes + 4, storage->tag);
	put32(bytes + 8, storage->wanted - storage->moved);
	bytes[12] = (uint8_t)storage->status;
	dx_virtual_send(storage->in, transfer, bytes, sizeof(bytes));
	enter(storage, PHASE_COMMAND);
}

/* ---- endpoints ---- */

static bool in_work(struct dx_virtual_endpoint *endpoint)
{
	struct storage *storage = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);

	if (transfer == NULL) {
		return false;
	}
	switch (storage->phase) {
	case PHASE_DATA_IN:
		give_data(storage, transfer);
		return true;
	case PHASE_STATUS:
		give_status(storage, transfer);
		return true;
	default:
		return false;
	}
}

static bool out_work(struct dx_virtual_endpoint *endpoint)
{
	struct storage *storage = endpoint->state;
	struct dx_usb_transfer *transfer = dx_virtual_offer(endpoint);

	if (transfer == NULL) {
		return false;
	}
	switch (storage->phase) {
	case PHASE_COMMAND:
		take_command(storage, transfer);
		return true;
	case PHASE_DATA_OUT:
		take_data(storage, transfer);
		return true;
	default:
		return false;
	}
}

static int storage_bind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct storage *storage = storage_of(model);
	bool is_in = dx_virtual_endpoint_is_in(endpoint);

	*(is_in ? &storage->in : &storage->out) = endpoint;
	endpoint->work = is_in ? in_work : out_work;
	endpoint->state = storage;
	storage->phase = PHASE_COMMAND;
	return 0;
}

static void storage_unbind(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	struct storage *storage = storage_of(model);

	*(dx_virtual_endpoint_is_in(endpoint) ? &storage->in : &storage->out) = NULL;
}

static void storage_cleared(struct dx_model *model, struct dx_virtual_endpoint *endpoint)
{
	if (storage_of(model)->phase == PHASE_BROKEN) {
		dx_virtual_halt(endpoint);
	}
}

static int storage_control(struct dx_model *model, const struct dx_model_setup *setup,
			   uint8_t *data)
{
	static const uint8_t max_lun;
	struct storage *storage = storage_of(model);

	if (setup->index != 0 || setup->value != 0) {
		return -EPIPE;
	}
	if (setup->request_type == IN_INTERFACE_CLASS && setup->request == GET_MAX_LUN &&
	    setup->length == 1) {
		return dx_model_answer(setup, data, &max_lun, 1);
	}
	if (setup->request_type == OUT_INTERFACE_CLASS && setup->request == RESET &&
	    setup->length == 0) {
		enter(storage, PHASE_COMMAND); /* halts stay: the host clears them next */
		return 0;
	}
	return -EPIPE;
}

static void storage_free(struct dx_model *model)
{
	struct storage *storage = storage_of(model);

	(void)dx_description_free(model->description);
	dx_fd_close(&storage->scsi.fd);
	free(storage);
}

static const struct dx_model_ops storage_ops = {
	.control = storage_control,
	.bind = storage_bind,
	.cleared = storage_cleared,
	.unbind = storage_unbind,
	.free = storage_free,
};

/* ---- the model ---- */

static int describe(struct dx_options *options, struct dx_description **ret_description)
{
	static const struct dx_preset preset = {0x0003, "Disk", "0123456789AB", false};
	struct dx_described_configuration *configuration = NULL;
	struct dx_described_setting *setting = NULL;
	struct dx_description *description = NULL;
	int result = dx_preset_describe(&preset, options, DX_USB_SPEED_HIGH, &description);

	if (result < 0) {
		return result;
	}
	configuration = &description->configurations[0];
	configuration->nr_interfaces = 1;
	configuration->interfaces[0].nr_settings = 1;
	setting = &configuration->interfaces[0].settings[0];
	setting->interface_class = 8;
	setting->interface_subclass = 6;  /* SCSI */
	setting->interface_protocol = 80; /* bulk-only */
	setting->nr_endpoints = 2;
	setting->endpoints[0] = dx_preset_bulk(description, IN_ADDRESS);
	setting->endpoints[1] = dx_preset_bulk(description, OUT_ADDRESS);
	*ret_description = description;
	return 0;
}

/* Only what cannot do anything but hold bytes is opened for a driver. */
static int check_file(int fd, struct dx_options *options, uint64_t *ret_bytes)
{
	const char *path = dx_options_string(options, "file", "");
	struct stat about = {0};

	if (fstat(fd, &about) < 0) {
		return -errno;
	}
	if (!S_ISREG(about.st_mode)) {
		dx_options_fail(options, "file=%s: not a regular file", path);
		return options->result;
	}
	*ret_bytes = (uint64_t)about.st_size;
	return 0;
}

static int acquire(struct dx_options *options)
{
	const char *path = dx_options_string(options, "file", NULL);
	bool read_only = dx_options_flag(options, "ro", false);
	DX_CLEANUP_FD int fd = -1;
	uint64_t bytes = 0;
	int result = 0;

	if (path == NULL) {
		dx_options_fail(options, "file: missing");
	}
	if (options->result < 0) {
		return options->result;
	}
	fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		result = -errno;
		dx_options_fail(options, "file=%s: %s", path, strerror(-result));
		return result;
	}
	result = check_file(fd, options, &bytes);
	return result < 0 ? result : dx_take_fd(&fd);
}

static int measure(struct storage *storage, int fd, struct dx_options *options)
{
	uint64_t bytes = 0;
	int result = check_file(fd, options, &bytes);

	if (result < 0) {
		return result;
	}
	storage->scsi.nr_blocks = bytes / storage->scsi.block_bytes;
	if (storage->scsi.nr_blocks == 0) {
		dx_options_fail(options, "file=%s: smaller than one block of %u bytes",
				dx_options_string(options, "file", ""), storage->scsi.block_bytes);
		return options->result;
	}
	return 0;
}

static void copy_serial(struct storage *storage, const struct dx_description *description)
{
	const char *text = description->strings[description->serial_string - 1];
	size_t length = 0;

	for (; *text != '\0' && length + 1 < sizeof(storage->scsi.serial); text++) {
		if (*text > ' ' && *text < 0x7F) {
			storage->scsi.serial[length++] = *text;
		}
	}
}

static int create(struct dx_options *options, int *fd, struct dx_description **description,
		  struct dx_model **ret_model)
{
	static const char *const sizes[] = {"512", "1024", "2048", "4096", NULL};
	DX_CLEANUP_FREE struct storage *storage = calloc(1, sizeof(*storage));
	int result = 0;

	if (storage == NULL) {
		return -ENOMEM;
	}
	storage->scsi.block_bytes = 512u << dx_options_choice(options, "block", sizes, 0);
	storage->scsi.read_only = dx_options_flag(options, "ro", false);
	storage->scsi.removable = dx_options_flag(options, "removable", true);
	result = measure(storage, *fd, options);
	if (result < 0) {
		return result;
	}
	copy_serial(storage, *description);
	storage->scsi.fd = dx_take_fd(fd);
	storage->model.ops = &storage_ops;
	storage->model.description = dx_take_ptr(description);
	*ret_model = &storage->model;
	(void)dx_take_ptr(&storage);
	return 0;
}

static const struct dx_model_key keys[] = {
	{"file", "PATH", "required", "the medium: a regular file, its size in whole blocks"},
	{"ro", "yes, no", "no", "write-protected; the file is opened for reading only"},
	{"block", "512, 1024, 2048, 4096", "512", "bytes of a block"},
	{"removable", "yes, no", "yes", "the medium can be ejected and locked"},
	{"speed", DX_SPEED_VALUES, "high", "decides the packet sizes"},
	{NULL, NULL, NULL, NULL},
};

static const char *const notes[] = {
	"The file is opened by the broker, once per driver's process; nobody else should write it.",
	"Reads and writes go to the file at once; SYNCHRONIZE CACHE waits for its disk.",
	"Where the host expects more than there is, the endpoint stalls, then comes the status.",
	"After an invalid command both endpoints stall until the mass storage reset.",
	NULL,
};

const struct dx_model_kind dx_model_mass_storage = {
	.name = "mass-storage",
	.summary = "a disk whose blocks are a file (SCSI, bulk-only transport)",
	.keys = keys,
	.notes = notes,
	.describe = describe,
	.create = create,
	.acquire = acquire,
};
