/* SPDX-License-Identifier: MIT
 *
 * scsi - the commands that systems send to disks on USB; see scsi.h.
 *
 * Place:      backend/virtual.
 * Numbers on the wire are big-endian. Medium: the file's whole blocks; a write cache that
 * SYNCHRONIZE CACHE flushes is announced, because the page cache is one.
 */
#include "backend/virtual/scsi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	TEST_UNIT_READY = 0x00,
	REQUEST_SENSE = 0x03,
	READ_6 = 0x08,
	WRITE_6 = 0x0A,
	INQUIRY = 0x12,
	MODE_SENSE_6 = 0x1A,
	START_STOP_UNIT = 0x1B,
	SEND_DIAGNOSTIC = 0x1D,
	PREVENT_ALLOW_REMOVAL = 0x1E,
	READ_FORMAT_CAPACITIES = 0x23,
	READ_CAPACITY_10 = 0x25,
	READ_10 = 0x28,
	WRITE_10 = 0x2A,
	VERIFY_10 = 0x2F,
	SYNCHRONIZE_CACHE_10 = 0x35,
	MODE_SENSE_10 = 0x5A,
	READ_16 = 0x88,
	WRITE_16 = 0x8A,
	VERIFY_16 = 0x8F,
	SYNCHRONIZE_CACHE_16 = 0x91,
	SERVICE_ACTION_IN_16 = 0x9E,
	REPORT_LUNS = 0xA0,
	READ_12 = 0xA8,
	WRITE_12 = 0xAA,
	VERIFY_12 = 0xAF,
};

#define SERVICE_READ_CAPACITY_16 0x10u

/* Sense: key << 16 | code << 8 | qualifier. */
enum {
	SENSE_NONE = 0,
	SENSE_NO_MEDIUM = 0x023A00,
	SENSE_READ_ERROR = 0x031100,
	SENSE_WRITE_ERROR = 0x030C00,
	SENSE_BAD_COMMAND = 0x052000,
	SENSE_BAD_ADDRESS = 0x052100,
	SENSE_BAD_FIELD = 0x052400,
	SENSE_NO_SUCH_UNIT = 0x052500,
	SENSE_NOT_SAVED = 0x053900,
	SENSE_LOCKED = 0x055302,
	SENSE_MEDIUM_CHANGED = 0x062800,
	SENSE_WRITE_PROTECTED = 0x072700,
	SENSE_MISCOMPARE = 0x0E1D00,
};

/* ---- helpers ---- */

static uint64_t get_big(const uint8_t *bytes, unsigned length)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < length; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

static void put_big(uint8_t *bytes, unsigned length, uint64_t value)
{
	for (unsigned i = 0; i < length; i++) {
		bytes[i] = (uint8_t)(value >> 8 * (length - 1 - i));
	}
}

static void set_sense(struct dx_scsi *scsi, uint32_t sense)
{
	scsi->sense_key = (uint8_t)(sense >> 16);
	scsi->sense_code = (uint8_t)(sense >> 8);
	scsi->sense_qualifier = (uint8_t)sense;
}

static void fail(struct dx_scsi *scsi, struct dx_scsi_plan *plan, uint32_t sense)
{
	set_sense(scsi, sense);
	plan->kind = DX_SCSI_NO_DATA;
	plan->length = 0;
	plan->failed = true;
}

/* What is in answer[], cut to what the host allows. */
static void reply(struct dx_scsi_plan *plan, uint64_t length, uint64_t allowed)
{
	plan->length = length < allowed ? length : allowed;
	plan->kind = plan->length == 0 ? DX_SCSI_NO_DATA : DX_SCSI_ANSWER;
}

/* Text that fills its field with blanks. */
static void put_text(uint8_t *field, size_t size, const char *text)
{
	size_t length = strlen(text);

	memset(field, ' ', size);
	memcpy(field, text, length < size ? length : size);
}

/* ---- what the device is ---- */

static unsigned page_identification(const struct dx_scsi *scsi, uint8_t *page)
{
	uint8_t length = (uint8_t)(8 + strlen(scsi->serial));

	page[0] = 2; /* ASCII */
	page[1] = 1; /* vendor and number, of the unit */
	page[3] = length;
	put_text(page + 4, 8, "OpenDext");
	put_text(page + 12, strlen(scsi->serial), scsi->serial);
	return 4u + length;
}

static void inquire_page(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	static const uint8_t pages[] = {0x00, 0x80, 0x83};
	uint8_t *answer = plan->answer;
	unsigned length = 0;

	switch (command[2]) {
	case 0x00:
		memcpy(answer + 4, pages, sizeof(pages));
		length = sizeof(pages);
		break;
	case 0x80:
		length = (unsigned)strlen(scsi->serial);
		memcpy(answer + 4, scsi->serial, length);
		break;
	case 0x83:
		length = page_identification(scsi, answer + 4);
		break;
	default:
		fail(scsi, plan, SENSE_BAD_FIELD);
		return;
	}
	answer[1] = command[2];
	answer[3] = (uint8_t)length;
	reply(plan, 4 + length, get_big(command + 3, 2));
}

static void inquire(struct dx_scsi *scsi, const uint8_t *command, uint8_t unit,
		    struct dx_scsi_plan *plan)
{
	uint8_t *answer = plan->answer;

	if ((command[1] & 1) != 0) {
		inquire_page(scsi, command, plan);
		return;
	}
	if (command[2] != 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
		return;
	}
	answer[0] = unit == 0 ? 0x00 : 0x7F; /* no such unit is no error here */
	answer[1] = scsi->removable ? 0x80 : 0;
	answer[2] = 5; /* SPC-3 */
	answer[3] = 2;
	answer[4] = 36 - 5;
	put_text(answer + 8, 8, "OpenDext");
	put_text(answer + 16, 16, "File");
	put_text(answer + 32, 4, "0001");
	reply(plan, 36, get_big(command + 3, 2));
}

static void request_sense(struct dx_scsi *scsi, const uint8_t *command, uint8_t unit,
			  struct dx_scsi_plan *plan)
{
	uint8_t *answer = plan->answer;

	if (unit != 0) {
		set_sense(scsi, SENSE_NO_SUCH_UNIT);
	}
	answer[0] = 0x70;
	answer[2] = scsi->sense_key;
	answer[7] = 18 - 8;
	answer[12] = scsi->sense_code;
	answer[13] = scsi->sense_qualifier;
	set_sense(scsi, SENSE_NONE);
	reply(plan, 18, command[4]);
}

static void report_luns(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	if (command[2] > 2 || get_big(command + 6, 4) < 16) {
		fail(scsi, plan, SENSE_BAD_FIELD);
		return;
	}
	plan->answer[3] = 8; /* one, number 0 */
	reply(plan, 16, get_big(command + 6, 4));
}

/* ---- capacity and modes ---- */

static void read_capacity_10(struct dx_scsi *scsi, const uint8_t *command,
			     struct dx_scsi_plan *plan)
{
	uint64_t last = scsi->nr_blocks - 1;

	if ((command[8] & 1) != 0 || get_big(command + 2, 4) != 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
		return;
	}
	put_big(plan->answer, 4, last > UINT32_MAX ? UINT32_MAX : last);
	put_big(plan->answer + 4, 4, scsi->block_bytes);
	reply(plan, 8, 8);
}

static void read_capacity_16(struct dx_scsi *scsi, const uint8_t *command,
			     struct dx_scsi_plan *plan)
{
	if ((command[1] & 0x1F) != SERVICE_READ_CAPACITY_16 || (command[14] & 1) != 0 ||
	    get_big(command + 2, 8) != 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
		return;
	}
	put_big(plan->answer, 8, scsi->nr_blocks - 1);
	put_big(plan->answer + 8, 4, scsi->block_bytes);
	reply(plan, 32, get_big(command + 10, 4));
}

/* Works without a medium, too. */
static void read_format_capacities(struct dx_scsi *scsi, const uint8_t *command,
				   struct dx_scsi_plan *plan)
{
	uint64_t blocks = scsi->nr_blocks > UINT32_MAX ? UINT32_MAX : scsi->nr_blocks;

	plan->answer[3] = 8;
	put_big(plan->answer + 4, 4, blocks);
	plan->answer[8] = scsi->ejected ? 3 : 2; /* no medium; formatted */
	put_big(plan->answer + 9, 3, scsi->block_bytes);
	reply(plan, 12, get_big(command + 7, 2));
}

/* Pages behind a header of `header` bytes. @return bytes with the header, 0: no such page. */
static unsigned put_mode_pages(const struct dx_scsi *scsi, uint8_t page, unsigned control,
			       unsigned header, uint8_t *answer)
{
	static const uint8_t caching[20] = {0x08, 18, 0x04}; /* write cache on */
	uint8_t *to = answer + header;

	if (page != 0x08 && page != 0x3F) {
		return 0;
	}
	memcpy(to, caching, sizeof(caching));
	if (control == 1) { /* what could be changed: nothing */
		to[2] = 0;
	}
	answer[header == 4 ? 2 : 3] = scsi->read_only ? 0x80 : 0;
	return header + (unsigned)sizeof(caching);
}

static void mode_sense(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	bool is_short = command[0] == MODE_SENSE_6;
	unsigned control = command[2] >> 6;
	unsigned length = 0;

	if (control == 3) { /* values that outlive the power */
		fail(scsi, plan, SENSE_NOT_SAVED);
		return;
	}
	if (command[3] == 0 || command[3] == 0xFF) {
		length = put_mode_pages(scsi, command[2] & 0x3F, control, is_short ? 4 : 8,
					plan->answer);
	}
	if (length == 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
	} else if (is_short) {
		plan->answer[0] = (uint8_t)(length - 1);
		reply(plan, length, command[4]);
	} else {
		put_big(plan->answer, 2, length - 2);
		reply(plan, length, get_big(command + 7, 2));
	}
}

/* ---- medium ---- */

static void start_stop(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	bool starts = (command[4] & 1) != 0;
	bool loads_or_ejects = (command[4] & 2) != 0;

	if ((command[4] & 0xF0) != 0 || !loads_or_ejects) { /* power states: nothing to do */
		if (scsi->ejected && starts) {
			fail(scsi, plan, SENSE_NO_MEDIUM);
		}
	} else if (!scsi->removable) {
		fail(scsi, plan, SENSE_BAD_FIELD);
	} else if (!starts && scsi->locked) {
		fail(scsi, plan, SENSE_LOCKED);
	} else {
		scsi->changed = scsi->changed || (scsi->ejected && starts);
		scsi->ejected = !starts;
	}
}

static void prevent_allow(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	if (!scsi->removable || (command[4] & ~1u) != 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
		return;
	}
	scsi->locked = (command[4] & 1) != 0;
}

/* A range of blocks becomes a range of the file (S1). */
static bool set_range(struct dx_scsi *scsi, uint64_t address, uint64_t nr_blocks,
		      struct dx_scsi_plan *plan)
{
	if (address > scsi->nr_blocks || nr_blocks > scsi->nr_blocks - address) {
		fail(scsi, plan, SENSE_BAD_ADDRESS);
		return false;
	}
	plan->offset = address * scsi->block_bytes;
	plan->length = nr_blocks * scsi->block_bytes;
	return true;
}

/* Address and count of a command of 6, 10, 12 or 16 bytes. */
static bool read_range(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	switch (command[0] >> 5) {
	case 0:
		return set_range(scsi, get_big(command + 1, 3) & 0x1FFFFF,
				 command[4] == 0 ? 256 : command[4], plan);
	case 4:
		return set_range(scsi, get_big(command + 2, 8), get_big(command + 10, 4), plan);
	case 5:
		return set_range(scsi, get_big(command + 2, 4), get_big(command + 6, 4), plan);
	default:
		return set_range(scsi, get_big(command + 2, 4), get_big(command + 7, 2), plan);
	}
}

static void read_or_write(struct dx_scsi *scsi, const uint8_t *command, enum dx_scsi_kind kind,
			  struct dx_scsi_plan *plan)
{
	/* RDPROTECT and WRPROTECT ask for what this device has not. */
	if (command[0] >> 5 != 0 && (command[1] & 0xE0) != 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
	} else if (kind == DX_SCSI_WRITE && scsi->read_only) {
		fail(scsi, plan, SENSE_WRITE_PROTECTED);
	} else if (read_range(scsi, command, plan)) {
		plan->kind = plan->length == 0 ? DX_SCSI_NO_DATA : kind;
	}
}

static void verify(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	unsigned how = command[1] >> 1 & 3;

	if (how > 1 || (command[1] & 0xE0) != 0) {
		fail(scsi, plan, SENSE_BAD_FIELD);
	} else if (read_range(scsi, command, plan) && how == 1 && plan->length != 0) {
		plan->kind = DX_SCSI_COMPARE;
	}
}

static void synchronize(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	if (read_range(scsi, command, plan) && !scsi->read_only && fdatasync(scsi->fd) < 0) {
		fail(scsi, plan, SENSE_WRITE_ERROR);
	}
}

/* ---- all of them ---- */

/* Those that answer without a medium. @return false: not one of them. */
static bool start_always(struct dx_scsi *scsi, const uint8_t *command, uint8_t unit,
			 struct dx_scsi_plan *plan)
{
	switch (command[0]) {
	case INQUIRY:
		inquire(scsi, command, unit, plan);
		return true;
	case REQUEST_SENSE:
		request_sense(scsi, command, unit, plan);
		return true;
	case REPORT_LUNS:
		report_luns(scsi, command, plan);
		return true;
	case READ_FORMAT_CAPACITIES:
		read_format_capacities(scsi, command, plan);
		return true;
	case MODE_SENSE_6:
	case MODE_SENSE_10:
		mode_sense(scsi, command, plan);
		return true;
	case START_STOP_UNIT:
		start_stop(scsi, command, plan);
		return true;
	case PREVENT_ALLOW_REMOVAL:
		prevent_allow(scsi, command, plan);
		return true;
	case SEND_DIAGNOSTIC:
		if ((command[1] & 4) == 0) { /* only the default self-test */
			fail(scsi, plan, SENSE_BAD_FIELD);
		}
		return true;
	default:
		return false;
	}
}

static void start_on_medium(struct dx_scsi *scsi, const uint8_t *command, struct dx_scsi_plan *plan)
{
	switch (command[0]) {
	case TEST_UNIT_READY:
		break;
	case READ_6:
	case READ_10:
	case READ_12:
	case READ_16:
		read_or_write(scsi, command, DX_SCSI_READ, plan);
		break;
	case WRITE_6:
	case WRITE_10:
	case WRITE_12:
	case WRITE_16:
		read_or_write(scsi, command, DX_SCSI_WRITE, plan);
		break;
	case VERIFY_10:
	case VERIFY_12:
	case VERIFY_16:
		verify(scsi, command, plan);
		break;
	case READ_CAPACITY_10:
		read_capacity_10(scsi, command, plan);
		break;
	case SERVICE_ACTION_IN_16:
		read_capacity_16(scsi, command, plan);
		break;
	case SYNCHRONIZE_CACHE_10:
	case SYNCHRONIZE_CACHE_16:
		synchronize(scsi, command, plan);
		break;
	default:
		fail(scsi, plan, SENSE_BAD_COMMAND);
	}
}

/* Bytes of a command; the group is in the upper bits of its code. */
static size_t command_length(uint8_t code)
{
	static const uint8_t lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};

	return lengths[code >> 5];
}

void dx_scsi_start(struct dx_scsi *scsi, const uint8_t *bytes, size_t length, uint8_t unit,
		   struct dx_scsi_plan *ret_plan)
{
	uint8_t command[DX_SCSI_COMMAND_MAX] = {0};

	*ret_plan = (struct dx_scsi_plan){0};
	memcpy(command, bytes, length < sizeof(command) ? length : sizeof(command));
	if (length == 0 || command_length(command[0]) == 0 || length < command_length(command[0])) {
		fail(scsi, ret_plan, SENSE_BAD_COMMAND);
		return;
	}
	if (command[0] != REQUEST_SENSE) {
		set_sense(scsi, SENSE_NONE); /* S2: only of the last command */
	}
	if (unit != 0 && command[0] != INQUIRY && command[0] != REQUEST_SENSE) {
		fail(scsi, ret_plan, SENSE_NO_SUCH_UNIT);
	} else if (!start_always(scsi, command, unit, ret_plan)) {
		if (scsi->ejected) {
			fail(scsi, ret_plan, SENSE_NO_MEDIUM);
		} else if (scsi->changed) {
			scsi->changed = false;
			fail(scsi, ret_plan, SENSE_MEDIUM_CHANGED);
		} else {
			start_on_medium(scsi, command, ret_plan);
		}
	}
}

/* ---- data ---- */

static int read_file(const struct dx_scsi *scsi, uint64_t offset, uint8_t *data, uint32_t length)
{
	while (length != 0) {
		ssize_t got = pread(scsi->fd, data, length, (off_t)offset);

		if (got == 0 || (got < 0 && errno != EINTR)) { /* 0: the file was cut meanwhile */
			return -EIO;
		}
		if (got > 0) {
			data += got;
			offset += (uint64_t)got;
			length -= (uint32_t)got;
		}
	}
	return 0;
}

static int write_file(const struct dx_scsi *scsi, uint64_t offset, const uint8_t *data,
		      uint32_t length)
{
	while (length != 0) {
		ssize_t put = pwrite(scsi->fd, data, length, (off_t)offset);

		if (put < 0 && errno != EINTR) {
			return -EIO;
		}
		if (put > 0) {
			data += put;
			offset += (uint64_t)put;
			length -= (uint32_t)put;
		}
	}
	return 0;
}

static int compare_file(const struct dx_scsi *scsi, uint64_t offset, const uint8_t *data,
			uint32_t length, bool *ret_equal)
{
	uint8_t part[4096];

	*ret_equal = true;
	while (length != 0 && *ret_equal) {
		uint32_t size = length < sizeof(part) ? length : (uint32_t)sizeof(part);
		int result = read_file(scsi, offset, part, size);

		if (result < 0) {
			return result;
		}
		*ret_equal = memcmp(part, data, size) == 0;
		data += size;
		offset += size;
		length -= size;
	}
	return 0;
}

int dx_scsi_move(struct dx_scsi *scsi, const struct dx_scsi_plan *plan, uint64_t at, uint8_t *data,
		 uint32_t length)
{
	bool is_equal = true;
	int result = 0;

	if (length == 0) {
		return 0;
	}
	switch (plan->kind) {
	case DX_SCSI_ANSWER:
		memcpy(data, plan->answer + at, length);
		return 0;
	case DX_SCSI_WRITE:
		result = write_file(scsi, plan->offset + at, data, length);
		break;
	case DX_SCSI_COMPARE:
		result = compare_file(scsi, plan->offset + at, data, length, &is_equal);
		break;
	default:
		result = read_file(scsi, plan->offset + at, data, length);
		break;
	}
	if (result < 0 || !is_equal) {
		set_sense(scsi, !is_equal                     ? SENSE_MISCOMPARE
				: plan->kind == DX_SCSI_WRITE ? SENSE_WRITE_ERROR
							      : SENSE_READ_ERROR);
		return -EIO;
	}
	return 0;
}
