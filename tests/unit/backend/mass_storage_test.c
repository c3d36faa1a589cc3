/* SPDX-License-Identifier: MIT
 *
 * mass_storage - the disk's transport: commands, data, residues, stalls, recovery.
 */
#include "disk.h"

TEST(mass_storage_describes_itself)
{
	static const uint8_t expected[] = {
		9, 2, 44,   0, 1, 1, 0, 0x80, 12,             /* configuration, 96 mA */
		9, 4, 0,    0, 2, 8, 6, 80,   0,              /* SCSI, bulk-only */
		7, 5, 0x81, 2, 0, 4, 0, 6,    48, 0, 0, 0, 0, /* 1024 bytes */
		7, 5, 0x01, 2, 0, 4, 0, 6,    48, 0, 0, 0, 0,
	};
	struct disk d = disk_set_up(",speed=super");
	size_t length = 0;
	const uint8_t *bytes = dx_usb_device_configuration_at(d.m.device, 0, &length);
	char *serial =
		dx_usb_device_copy_text(d.m.device, dx_usb_device_descriptor(d.m.device)[16]);

	CHECK_EQ(length, sizeof(expected));
	CHECK_MEM_EQ(bytes, expected, sizeof(expected));
	CHECK_GE(strlen(serial), 12); /* the transport asks for that */
	free(serial);
	disk_tear_down(&d);
}

TEST(mass_storage_writes_and_reads_back)
{
	struct disk d = disk_set_up("");
	uint8_t got[4096];
	static uint8_t bytes[4096];

	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 31 >> 2);
	}
	disk_write10(&d, 3, 8, bytes, DX_USB_OK);
	expect_status(&d, 0, 0);
	disk_read10(&d, 3, 8, got);
	expect_status(&d, 0, 0);
	CHECK_MEM_EQ(got, bytes, sizeof(bytes));
	CHECK_EQ(lseek(d.fd, 3 * 512, SEEK_SET), 3 * 512);
	CHECK_EQ(read(d.fd, got, sizeof(got)), (ssize_t)sizeof(got));
	CHECK_MEM_EQ(got, bytes, sizeof(bytes));
	disk_tear_down(&d);
}

/* Data of a command may come in several transfers. */
TEST(mass_storage_data_may_come_in_parts)
{
	struct disk d = disk_set_up("");
	const uint8_t write10[10] = {0x2A, 0, 0, 0, 0, 1, 0, 0, 3};
	const uint8_t read10[10] = {0x28, 0, 0, 0, 0, 1, 0, 0, 3};
	static uint8_t bytes[1536];

	memset(bytes, 0xA5, sizeof(bytes));
	send_command(&d, 1536, false, write10, 10);
	put(d.out, bytes, 512);
	put(d.out, bytes, 1024);
	expect_status(&d, 0, 0);
	send_command(&d, 1536, true, read10, 10);
	CHECK_EQ(dx_usb_pipe_io(d.in, NULL, 0, 0, NULL), DX_USB_OK); /* takes nothing */
	expect(d.in, bytes, 1024, 1024);
	expect(d.in, bytes, 512, 512);
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

/* M1: who comes too early waits. */
TEST(mass_storage_answers_one_after_the_other)
{
	struct disk d = disk_set_up("");
	const uint8_t read10[10] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1};
	static struct pending data;
	static struct pending status;
	static struct pending next;

	start(d.in, &data, 512);
	start(d.in, &status, 13);
	make_command(next.bytes, 99, 0, true, (const uint8_t[6]){0}, 6);
	settle(&d.m);
	CHECK_EQ(data.record.nr, 0);
	send_command(&d, 512, true, read10, 10);
	start(d.out, &next, 31);
	wait_for(&d.m, &status.record, 1);
	CHECK_EQ(data.record.entries[0].actual, 512);
	CHECK_EQ(status.bytes[12], 0);
	wait_for(&d.m, &next.record, 1);
	d.tag = 99;
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

/* ---- the thirteen cases: host and device agree or do not ---- */

static const uint8_t no_data[6] = {0};                             /* TEST UNIT READY */
static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36};             /* 36 bytes to the host */
static const uint8_t read_1[10] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1};  /* 512 bytes */
static const uint8_t write_1[10] = {0x2A, 0, 0, 0, 0, 0, 0, 0, 1}; /* 512 bytes */
static uint8_t data[4096];

/* Case 1: neither has data. */
TEST(mass_storage_case_hn_dn)
{
	struct disk d = disk_set_up("");

	send_command(&d, 0, false, no_data, 6);
	expect_status(&d, 0, 0);
	send_command(&d, 0, true, no_data, 6); /* the direction means nothing then */
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

/* Cases 2 and 3: only the device has data. */
TEST(mass_storage_case_hn_di_and_hn_do)
{
	struct disk d = disk_set_up("");

	send_command(&d, 0, true, read_1, 10);
	expect_status(&d, 2, 0);
	recover(&d);
	send_command(&d, 0, false, write_1, 10);
	expect_status(&d, 2, 0);
	recover(&d);
	send_command(&d, 0, false, no_data, 6);
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

/* Host and device cannot agree: nothing moves, and the status says the rest. */
static void check_no_data(uint32_t wanted, bool is_in, const uint8_t *command, uint8_t length,
			  uint8_t status)
{
	struct disk d = disk_set_up("");

	send_command(&d, wanted, is_in, command, length);
	expect_stall(is_in ? d.in : d.out, wanted, 0);
	expect_status(&d, status, wanted);
	disk_tear_down(&d);
}

/* Case 4: the host wants data that does not exist. */
TEST(mass_storage_case_hi_dn)
{
	check_no_data(512, true, no_data, 6, 0);
}

/* Case 5: less than the host wants, ending in a short packet or with a whole one. */
TEST(mass_storage_case_hi_more_than_di)
{
	struct disk d = disk_set_up("");
	uint32_t actual = 0;

	send_command(&d, 255, true, inquiry, 6);
	CHECK_EQ(dx_usb_pipe_io(d.in, data, 255, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 36);
	expect_stall(d.in, 13, 0);
	expect_status(&d, 0, 255 - 36);
	send_command(&d, 2048, true, read_1, 10);
	expect_stall(d.in, 2048, 512);
	expect_status(&d, 0, 1536);
	send_command(&d, 2048, true, read_1, 10);
	CHECK_EQ(dx_usb_pipe_io(d.in, data, 512, 0, &actual), DX_USB_OK);
	expect_stall(d.in, 1536, 0);
	expect_status(&d, 0, 1536);
	disk_tear_down(&d);
}

/* Case 6 is an ordinary read. Case 7: the device has more than the host wants. */
TEST(mass_storage_case_hi_less_than_di)
{
	check_no_data(256, true, read_1, 10, 2);
}

/* Case 8: both have data, but in the other direction. */
TEST(mass_storage_case_hi_do)
{
	check_no_data(512, true, write_1, 10, 2);
}

/* Case 9: the host brings data that nobody wants. */
TEST(mass_storage_case_ho_dn)
{
	check_no_data(512, false, no_data, 6, 0);
}

/* Case 10. */
TEST(mass_storage_case_ho_di)
{
	check_no_data(512, false, read_1, 10, 2);
}

/* Case 11: the host brings more, in the same transfer or in one behind. */
TEST(mass_storage_case_ho_more_than_do)
{
	struct disk d = disk_set_up("");

	memset(data, 0x77, sizeof(data));
	send_command(&d, 2048, false, write_1, 10);
	expect_stall(d.out, 2048, 512);
	expect_status(&d, 0, 1536);
	send_command(&d, 2048, false, write_1, 10);
	put(d.out, data, 512);
	expect_stall(d.out, 1536, 0);
	expect_status(&d, 0, 1536);
	disk_tear_down(&d);
}

/* Case 12 is an ordinary write. Case 13: the device wants more; nothing is written. */
TEST(mass_storage_case_ho_less_than_do)
{
	struct disk d = disk_set_up("");
	uint8_t got[512];

	memset(data, 0x77, sizeof(data));
	send_command(&d, 256, false, write_1, 10);
	expect_stall(d.out, 256, 0);
	expect_status(&d, 2, 256);
	disk_read10(&d, 0, 1, got);
	expect_status(&d, 0, 0);
	CHECK_EQ(got[0], 0);
	disk_tear_down(&d);
}

/* ---- what else may go wrong ---- */

TEST(mass_storage_short_data_from_the_host_ends_the_data)
{
	struct disk d = disk_set_up("");
	const uint8_t write_4[10] = {0x2A, 0, 0, 0, 0, 0, 0, 0, 4};

	send_command(&d, 2048, false, write_4, 10);
	put(d.out, data, 512);
	put(d.out, data, 0); /* a zero-length packet is short, too */
	expect_status(&d, 0, 1536);
	send_command(&d, 2048, false, write_4, 10);
	put(d.out, data, 700);
	expect_status(&d, 0, 1348);
	disk_tear_down(&d);
}

/* M4 */
TEST(mass_storage_invalid_command_halts_until_reset)
{
	struct disk d = disk_set_up("");
	uint8_t bad[6][32];

	for (unsigned i = 0; i < 6; i++) {
		make_command(bad[i], 1, 0, false, no_data, 6);
	}
	bad[0][0] = 'X';   /* signature */
	bad[1][12] = 1;    /* reserved bits */
	bad[2][13] = 0x10; /* reserved bits */
	bad[3][14] = 0;    /* no command */
	bad[4][14] = 17;   /* too long */
	for (unsigned i = 0; i < 6; i++) {
		int32_t status = dx_usb_pipe_io(d.out, bad[i], i == 5 ? 32 : 31, 0, NULL);

		CHECK_EQ(status, i == 5 ? DX_USB_STALLED : DX_USB_OK);
		expect_stall(d.in, 13, 0);
		expect_stall(d.in, 13, 0); /* cleared, and halted again */
		expect_stall(d.out, 31, 0);
		recover(&d);
		send_command(&d, 0, false, no_data, 6);
		expect_status(&d, 0, 0);
	}
	disk_tear_down(&d);
}

TEST(mass_storage_data_beyond_what_was_announced_halts_until_reset)
{
	struct disk d = disk_set_up("");

	send_command(&d, 512, false, write_1, 10);
	expect_stall(d.out, 1024, 512);
	expect_stall(d.out, 31, 0);
	recover(&d);
	send_command(&d, 0, false, no_data, 6);
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

TEST(mass_storage_reset_in_the_middle_of_data)
{
	struct disk d = disk_set_up("");
	const uint8_t read_4[10] = {0x28, 0, 0, 0, 0, 0, 0, 0, 4};

	send_command(&d, 2048, true, read_4, 10);
	CHECK_EQ(dx_usb_pipe_io(d.in, data, 512, 0, NULL), DX_USB_OK);
	recover(&d);
	send_command(&d, 0, false, no_data, 6);
	expect_status(&d, 0, 0);
	disk_tear_down(&d);
}

TEST(mass_storage_buffer_that_splits_a_packet_is_babble)
{
	struct disk d = disk_set_up("");
	uint32_t actual = 0;

	send_command(&d, 512, true, read_1, 10);
	CHECK_EQ(dx_usb_pipe_io(d.in, data, 100, 0, &actual), DX_USB_OVERRUN);
	CHECK_EQ(actual, 100);
	CHECK_EQ(dx_usb_pipe_clear_stall(d.in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_io(d.in, data, 12, 0, &actual), DX_USB_OVERRUN); /* status is 13 */
	disk_tear_down(&d);
}

TEST(mass_storage_class_requests)
{
	struct disk d = disk_set_up("");
	uint8_t max_lun = 9;

	CHECK_EQ(model_request(&d.m, 0xA1, 0xFE, 0, 0, &max_lun, 1), DX_USB_OK);
	CHECK_EQ(max_lun, 0);
	CHECK_EQ(model_request(&d.m, 0xA1, 0xFE, 0, 0, data, 2), DX_USB_STALLED);
	CHECK_EQ(model_request(&d.m, 0xA1, 0xFE, 1, 0, data, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&d.m, 0xA1, 0xFE, 0, 1, data, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&d.m, 0x21, 0xFF, 0, 0, data, 1), DX_USB_STALLED);
	CHECK_EQ(model_request(&d.m, 0x21, 0x01, 0, 0, NULL, 0), DX_USB_STALLED);
	disk_tear_down(&d);
}

TEST(mass_storage_makes_errors_on_demand)
{
	struct disk d = disk_set_up(",short=100,stall-after=2");
	uint32_t actual = 0;

	send_command(&d, 512, true, read_1, 10);
	CHECK_EQ(dx_usb_pipe_io(d.in, data, 512, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, 100);
	expect_status(&d, 0, 412);
	expect_stall(d.in, 13, 0);
	disk_tear_down(&d);
}

/* The file is cut or fails below the device. */
TEST(mass_storage_errors_of_the_file_are_medium_errors)
{
	struct disk d = disk_set_up("");

	CHECK_EQ(ftruncate(d.fd, 512), 0);
	send_command(&d, 1024, true, (const uint8_t[10]){0x28, 0, 0, 0, 0, 1, 0, 0, 2}, 10);
	expect_stall(d.in, 1024, 0);
	expect_status(&d, 1, 1024);
	expect_sense(&d, 0x03, 0x11);
	limit_file_size(512);
	memset(data, 1, sizeof(data));
	disk_write10(&d, 1, 2, data, DX_USB_STALLED);
	expect_status(&d, 1, 1024);
	expect_sense(&d, 0x03, 0x0C);
	disk_tear_down(&d);
}

TEST(mass_storage_takes_the_descriptor_that_was_acquired)
{
	struct disk d = disk_set_up("");
	struct dx_usb_device *device = NULL;
	char spec[256];
	char message[256] = "";
	int fd = -1;

	(void)snprintf(spec, sizeof(spec), "virtual:mass-storage,file=%s", d.path);
	fd = dx_backend_virtual.acquire(spec, message, sizeof(message));
	CHECK_GE(fd, 0);
	CHECK_EQ(unlink(d.path), 0);
	CHECK_EQ(
		dx_usb_device_attach(fixture_backends, spec, fd, message, sizeof(message), &device),
		0);
	(void)dx_usb_device_unref(device);
	CHECK_EQ(dx_backend_virtual.acquire("virtual:gadget-zero", message, sizeof(message)),
		 -ENODATA);
	CHECK_EQ(dx_backend_virtual.acquire("file:/x", message, sizeof(message)), -ENOENT);
	CHECK_EQ(dx_backend_virtual.acquire(spec, message, sizeof(message)), -ENOENT);
	CHECK_EQ(dx_backend_virtual.acquire("virtual:x", message, sizeof(message)), -EINVAL);
	disk_tear_down(&d);
}

TEST(mass_storage_spec_errors)
{
	const char *path = "mass_storage_test.tiny";
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	CHECK_EQ(fwrite("x", 1, 1, file), 1);
	CHECK_EQ(fclose(file), 0);
	expect_refused("virtual:mass-storage", -EINVAL, "file: missing");
	expect_refused("virtual:mass-storage,file", -EINVAL, "\"file\": expected key=value");
	expect_refused("virtual:mass-storage,file=/no/such", -ENOENT,
		       "file=/no/such: No such file or directory");
	expect_refused("virtual:mass-storage,file=/dev/null", -EINVAL,
		       "file=/dev/null: not a regular file");
	expect_refused("virtual:mass-storage,file=mass_storage_test.tiny", -EINVAL,
		       "file=mass_storage_test.tiny: smaller than one block of 512 bytes");
	expect_refused("virtual:mass-storage,file=mass_storage_test.tiny,block=100", -EINVAL,
		       "block=100: not one of 512, 1024, 2048, 4096");
	expect_refused("virtual:mass-storage,file=mass_storage_test.tiny,ro=1", -EINVAL,
		       "ro=1: not one of no, yes");
	CHECK_EQ(unlink(path), 0);
}
