/* SPDX-License-Identifier: MIT
 *
 * scsi - the commands of the disk, each with its answer and its errors.
 */
#include "disk.h"

#define BAD_COMMAND 0x05, 0x20
#define BAD_ADDRESS 0x05, 0x21
#define BAD_FIELD   0x05, 0x24
#define NO_UNIT     0x05, 0x25
#define NO_MEDIUM   0x02, 0x3A

#define BLOCK(...)  ((const uint8_t[]){__VA_ARGS__})

static uint8_t answer[4096];
static uint8_t bytes[4096];

/* A command that wants `wanted` bytes and fails. */
static void refuse(struct disk *d, const uint8_t *block, uint8_t length, uint32_t wanted,
		   uint8_t key, uint8_t code)
{
	send_command(d, wanted, true, block, length);
	expect_stall(d->in, wanted, 0);
	expect_status(d, 1, wanted);
	expect_sense(d, key, code);
}

TEST(scsi_inquiry)
{
	struct disk d = disk_set_up(",serial=ABCDEF012345");
	struct disk fixed = disk_set_up(",removable=no");

	ask(&d, BLOCK(0x12, 0, 0, 0, 36, 0), 6, answer, 36);
	CHECK_EQ(answer[0], 0);    /* disk */
	CHECK_EQ(answer[1], 0x80); /* removable */
	CHECK_EQ(answer[4], 31);
	CHECK_MEM_EQ(answer + 8, "OpenDextFile            0001", 28);
	ask(&fixed, BLOCK(0x12, 0, 0, 0, 5, 0), 6, answer, 5);
	CHECK_EQ(answer[1], 0);
	ask(&d, BLOCK(0x12, 1, 0x00, 0, 255, 0), 6, answer, 7);
	CHECK_MEM_EQ(answer, BLOCK(0, 0, 0, 3, 0x00, 0x80, 0x83), 7);
	ask(&d, BLOCK(0x12, 1, 0x80, 0, 255, 0), 6, answer, 16);
	CHECK_MEM_EQ(answer,
		     "\0\x80\0\x0C"
		     "ABCDEF012345",
		     16);
	ask(&d, BLOCK(0x12, 1, 0x83, 0, 255, 0), 6, answer, 28);
	CHECK_MEM_EQ(answer, "\0\x83\0\x18\x02\x01\0\x14OpenDextABCDEF012345", 28);
	refuse(&d, BLOCK(0x12, 1, 0x55, 0, 255, 0), 6, 255, BAD_FIELD);
	refuse(&d, BLOCK(0x12, 0, 0x80, 0, 255, 0), 6, 255, BAD_FIELD);
	disk_tear_down(&d);
	disk_tear_down(&fixed);
}

TEST(scsi_capacities)
{
	struct disk d = disk_set_up("");
	struct disk big = disk_set_up(",block=4096");

	ask(&d, BLOCK(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 10, answer, 8);
	CHECK_EQ(get_big(answer, 4), 127);
	CHECK_EQ(get_big(answer + 4, 4), 512);
	ask(&d, BLOCK(0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0), 16, answer, 32);
	CHECK_EQ(get_big(answer, 8), 127);
	CHECK_EQ(get_big(answer + 8, 4), 512);
	ask(&big, BLOCK(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 10, answer, 8);
	CHECK_EQ(get_big(answer, 4), 15);
	CHECK_EQ(get_big(answer + 4, 4), 4096);
	ask(&d, BLOCK(0x23, 0, 0, 0, 0, 0, 0, 0, 252, 0), 10, answer, 12);
	CHECK_EQ(answer[3], 8);
	CHECK_EQ(get_big(answer + 4, 4), 128);
	CHECK_EQ(answer[8], 2);
	refuse(&d, BLOCK(0x25, 0, 0, 0, 0, 1, 0, 0, 0, 0), 10, 8, BAD_FIELD);
	refuse(&d, BLOCK(0x25, 0, 0, 0, 0, 0, 0, 0, 1, 0), 10, 8, BAD_FIELD);
	refuse(&d, BLOCK(0x9E, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0), 16, 32, BAD_FIELD);
	refuse(&d, BLOCK(0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 32, 0, 0), 16, 32, BAD_FIELD);
	disk_tear_down(&d);
	disk_tear_down(&big);
}

TEST(scsi_mode_pages)
{
	struct disk d = disk_set_up("");
	struct disk ro = disk_set_up(",ro");

	ask(&d, BLOCK(0x1A, 0, 0x3F, 0, 192, 0), 6, answer, 24);
	CHECK_EQ(answer[0], 23);
	CHECK_EQ(answer[2], 0);
	CHECK_EQ(answer[4], 0x08);
	CHECK_EQ(answer[6], 0x04); /* a write cache */
	ask(&d, BLOCK(0x1A, 0, 0x48, 0, 192, 0), 6, answer, 24);
	CHECK_EQ(answer[6], 0); /* that cannot be switched off */
	ask(&ro, BLOCK(0x1A, 0, 0x3F, 0, 4, 0), 6, answer, 4);
	CHECK_EQ(answer[2], 0x80); /* write-protected */
	ask(&ro, BLOCK(0x5A, 0, 0x08, 0, 0, 0, 0, 0, 255, 0), 10, answer, 28);
	CHECK_EQ(get_big(answer, 2), 26);
	CHECK_EQ(answer[3], 0x80);
	CHECK_EQ(answer[8], 0x08);
	refuse(&d, BLOCK(0x1A, 0, 0x01, 0, 192, 0), 6, 192, BAD_FIELD);
	refuse(&d, BLOCK(0x1A, 0, 0x08, 7, 192, 0), 6, 192, BAD_FIELD);
	refuse(&d, BLOCK(0x1A, 0, 0xC8, 0, 192, 0), 6, 192, 0x05, 0x39);
	disk_tear_down(&d);
	disk_tear_down(&ro);
}

TEST(scsi_report_luns_and_other_units)
{
	struct disk d = disk_set_up("");
	uint8_t command[31];
	const uint8_t block[6] = {0};

	ask(&d, BLOCK(0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0), 12, answer, 16);
	CHECK_MEM_EQ(answer, BLOCK(0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 16);
	refuse(&d, BLOCK(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0), 12, 8, BAD_FIELD);
	refuse(&d, BLOCK(0xA0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0), 12, 16, BAD_FIELD);

	make_command(command, ++d.tag, 0, false, block, 6);
	command[13] = 1;
	put(d.out, command, 31);
	expect_status(&d, 1, 0);
	make_command(command, ++d.tag, 18, true, BLOCK(0x03, 0, 0, 0, 18, 0), 6);
	command[13] = 1;
	put(d.out, command, 31);
	CHECK_EQ(dx_usb_pipe_io(d.in, answer, 18, 0, NULL), DX_USB_OK);
	CHECK_EQ(answer[12], 0x25);
	expect_status(&d, 0, 0);
	make_command(command, ++d.tag, 36, true, BLOCK(0x12, 0, 0, 0, 36, 0), 6);
	command[13] = 1;
	put(d.out, command, 31);
	CHECK_EQ(dx_usb_pipe_io(d.in, answer, 36, 0, NULL), DX_USB_OK);
	CHECK_EQ(answer[0], 0x7F);
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

/* Every length of command reads and writes the same blocks. */
TEST(scsi_reads_and_writes_of_every_length)
{
	static const struct {
		uint8_t length;
		uint8_t write[16];
		uint8_t read[16];
	} rows[] = {
		{6, {0x0A, 0, 0, 5, 2}, {0x08, 0, 0, 5, 2}},
		{10, {0x2A, 0, 0, 0, 0, 6, 0, 0, 2}, {0x28, 0, 0, 0, 0, 6, 0, 0, 2}},
		{12, {0xAA, 0, 0, 0, 0, 7, 0, 0, 0, 2}, {0xA8, 0, 0, 0, 0, 7, 0, 0, 0, 2}},
		{16,
		 {0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2},
		 {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2}},
	};
	struct disk d = disk_set_up("");

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(bytes, (int)(0x40 + i), 1024);
		send_command(&d, 1024, false, rows[i].write, rows[i].length);
		put(d.out, bytes, 1024);
		expect_status(&d, 0, 0);
		CHECK_EQ(pread(d.fd, answer, 1024, (off_t)(5 + i) * 512), 1024);
		CHECK_MEM_EQ(answer, bytes, 1024);
		ask(&d, rows[i].read, rows[i].length, answer, 1024);
		CHECK_MEM_EQ(answer, bytes, 1024);
	}
	disk_tear_down(&d);
}

TEST(scsi_counts_that_mean_something_else)
{
	struct disk d = disk_set_up("");

	/* 6 bytes: 0 is 256, more than there is; elsewhere 0 is nothing. */
	refuse(&d, BLOCK(0x08, 0, 0, 0, 0, 0), 6, 512, BAD_ADDRESS);
	tell(&d, BLOCK(0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0), 10, 0, 0);
	tell(&d, BLOCK(0x28, 0, 0, 0, 0, 128, 0, 0, 0, 0), 10, 0, 0);
	tell(&d, BLOCK(0x28, 0, 0, 0, 0, 129, 0, 0, 0, 0), 10, BAD_ADDRESS);
	disk_tear_down(&d);
}

/* S1 */
TEST(scsi_addresses_beyond_the_end_are_refused)
{
	struct disk d = disk_set_up("");

	refuse(&d, BLOCK(0x28, 0, 0, 0, 0, 127, 0, 0, 2, 0), 10, 1024, BAD_ADDRESS);
	refuse(&d, BLOCK(0x28, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0), 10, 512, BAD_ADDRESS);
	refuse(&d, BLOCK(0xA8, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0), 12, 512, BAD_ADDRESS);
	refuse(&d, BLOCK(0x88, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0),
	       16, 512, BAD_ADDRESS);
	send_command(&d, 1024, false, BLOCK(0x2A, 0, 0, 0, 0, 127, 0, 0, 2, 0), 10);
	expect_stall(d.out, 1024, 0);
	expect_status(&d, 1, 1024);
	expect_sense(&d, BAD_ADDRESS);
	disk_tear_down(&d);
}

/* S2 */
TEST(scsi_sense_is_given_once)
{
	struct disk d = disk_set_up("");

	send_command(&d, 0, false, BLOCK(0xFF, 0, 0, 0, 0, 0), 6);
	expect_status(&d, 1, 0);
	expect_sense(&d, BAD_COMMAND);
	expect_sense(&d, 0, 0);
	send_command(&d, 0, false, BLOCK(0xFF, 0, 0, 0, 0, 0), 6);
	expect_status(&d, 1, 0);
	tell(&d, BLOCK(0, 0, 0, 0, 0, 0), 6, 0, 0); /* another command forgets it */
	disk_tear_down(&d);
}

TEST(scsi_commands_that_do_not_exist_or_are_cut)
{
	struct disk d = disk_set_up("");

	tell(&d, BLOCK(0x04, 0, 0, 0, 0, 0), 6, BAD_COMMAND);
	tell(&d, BLOCK(0x28, 0, 0, 0, 0, 0), 6, BAD_COMMAND); /* needs 10 bytes */
	tell(&d, BLOCK(0x7F, 0, 0, 0, 0, 0), 6, BAD_COMMAND); /* of variable length */
	tell(&d, BLOCK(0xA1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 12, BAD_COMMAND);
	tell(&d, BLOCK(0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0), 10, BAD_FIELD); /* protection */
	tell(&d, BLOCK(0x1D, 0, 0, 0, 0, 0), 6, BAD_FIELD);
	tell(&d, BLOCK(0x1D, 4, 0, 0, 0, 0), 6, 0, 0); /* self-test */
	disk_tear_down(&d);
}

/* S3 */
TEST(scsi_read_only_medium_is_not_written)
{
	struct disk d = disk_set_up(",ro=yes");

	send_command(&d, 512, false, BLOCK(0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0), 10);
	expect_stall(d.out, 512, 0);
	expect_status(&d, 1, 512);
	expect_sense(&d, 0x07, 0x27);
	ask(&d, BLOCK(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), 10, answer, 512);
	tell(&d, BLOCK(0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0), 10, 0, 0);
	disk_tear_down(&d);
}

TEST(scsi_verify_compares)
{
	struct disk d = disk_set_up("");
	const uint8_t compare[10] = {0x2F, 2, 0, 0, 0, 0, 0, 0, 2};

	memset(bytes, 0, 1024);
	tell(&d, BLOCK(0x2F, 0, 0, 0, 0, 0, 0, 0, 2, 0), 10, 0, 0); /* no data to compare */
	tell(&d, BLOCK(0x2F, 0, 0, 0, 0, 127, 0, 0, 2, 0), 10, BAD_ADDRESS);
	tell(&d, BLOCK(0x2F, 4, 0, 0, 0, 0, 0, 0, 2, 0), 10, BAD_FIELD);
	send_command(&d, 1024, false, compare, 10);
	put(d.out, bytes, 1024);
	expect_status(&d, 0, 0);
	send_command(&d, 1024, false, compare, 10);
	put(d.out, bytes, 512);
	bytes[3] = 1;
	CHECK_EQ(dx_usb_pipe_io(d.out, bytes, 512, 0, NULL), DX_USB_STALLED);
	CHECK_EQ(dx_usb_pipe_clear_stall(d.out, true), DX_USB_OK);
	expect_status(&d, 1, 512);
	expect_sense(&d, 0x0E, 0x1D);
	CHECK_EQ(ftruncate(d.fd, 512), 0);
	send_command(&d, 512, false, BLOCK(0x2F, 2, 0, 0, 0, 1, 0, 0, 1, 0), 10);
	expect_stall(d.out, 512, 0);
	expect_status(&d, 1, 512);
	expect_sense(&d, 0x03, 0x11);
	disk_tear_down(&d);
}

TEST(scsi_caches_are_synchronized)
{
	struct disk d = disk_set_up("");

	tell(&d, BLOCK(0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0), 10, 0, 0);
	tell(&d, BLOCK(0x91, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), 16, 0, 0);
	tell(&d, BLOCK(0x35, 0, 0, 0, 0, 200, 0, 0, 1, 0), 10, BAD_ADDRESS);
	disk_tear_down(&d);
}

TEST(scsi_medium_is_ejected_locked_and_loaded)
{
	struct disk d = disk_set_up("");

	tell(&d, BLOCK(0x1E, 0, 0, 0, 1, 0), 6, 0, 0);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 2, 0), 6, 0x05, 0x53); /* locked */
	tell(&d, BLOCK(0x1E, 0, 0, 0, 0, 0), 6, 0, 0);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 1, 0), 6, 0, 0);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 0, 0), 6, 0, 0); /* stops only the motor */
	tell(&d, BLOCK(0, 0, 0, 0, 0, 0), 6, 0, 0);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 2, 0), 6, 0, 0);
	tell(&d, BLOCK(0, 0, 0, 0, 0, 0), 6, NO_MEDIUM);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 1, 0), 6, NO_MEDIUM);
	refuse(&d, BLOCK(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 10, 8, NO_MEDIUM);
	ask(&d, BLOCK(0x23, 0, 0, 0, 0, 0, 0, 0, 12, 0), 10, answer, 12);
	CHECK_EQ(answer[8], 3);
	ask(&d, BLOCK(0x12, 0, 0, 0, 36, 0), 6, answer, 36);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 3, 0), 6, 0, 0);
	tell(&d, BLOCK(0, 0, 0, 0, 0, 0), 6, 0x06, 0x28); /* it may be another one */
	tell(&d, BLOCK(0, 0, 0, 0, 0, 0), 6, 0, 0);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 3, 0), 6, 0, 0); /* it is there already */
	tell(&d, BLOCK(0, 0, 0, 0, 0, 0), 6, 0, 0);
	disk_tear_down(&d);
}

TEST(scsi_fixed_medium_stays)
{
	struct disk d = disk_set_up(",removable=no");

	tell(&d, BLOCK(0x1E, 0, 0, 0, 1, 0), 6, BAD_FIELD);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 2, 0), 6, BAD_FIELD);
	tell(&d, BLOCK(0x1B, 0, 0, 0, 1, 0), 6, 0, 0);
	disk_tear_down(&d);
}
