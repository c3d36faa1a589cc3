/* SPDX-License-Identifier: MIT
 *
 * disk - the mass storage model over a file of 64 KiB, and the host's side of its transport.
 */
#ifndef DX_TESTS_BACKEND_DISK_H
#define DX_TESTS_BACKEND_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model.h"

#define DISK_BYTES 65536

struct disk {
	struct model m;
	struct dx_usb_pipe *in;
	struct dx_usb_pipe *out;
	char path[64]; /* of its own: tests run beside each other */
	int fd;        /* the file, beside the device */
	uint32_t tag;
};

__attribute__((unused)) static struct disk disk_set_up(const char *options)
{
	struct disk d = {.tag = 0xC0FFEE00};
	char spec[256];

	(void)snprintf(d.path, sizeof(d.path), "disk_test.%d", (int)getpid());
	d.fd = open(d.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK_GE(d.fd, 0);
	CHECK_EQ(ftruncate(d.fd, DISK_BYTES), 0);
	(void)snprintf(spec, sizeof(spec), "virtual:mass-storage,file=%s%s", d.path, options);
	d.m = model_set_up(spec);
	d.in = model_pipe(&d.m, 0, 0x81);
	d.out = model_pipe(&d.m, 0, 0x01);
	return d;
}

__attribute__((unused)) static void disk_tear_down(struct disk *d)
{
	(void)dx_usb_pipe_unref(d->in);
	(void)dx_usb_pipe_unref(d->out);
	model_tear_down(&d->m);
	(void)close(d->fd);
	(void)unlink(d->path); /* a test may have done it */
}

__attribute__((unused)) static void put_little(uint8_t *bytes, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		bytes[i] = (uint8_t)(value >> 8 * i);
	}
}

__attribute__((unused)) static void put_big(uint8_t *bytes, unsigned length, uint64_t value)
{
	for (unsigned i = 0; i < length; i++) {
		bytes[i] = (uint8_t)(value >> 8 * (length - 1 - i));
	}
}

__attribute__((unused)) static uint64_t get_big(const uint8_t *bytes, unsigned length)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < length; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

/* 31 bytes; wanted: bytes of data that the host expects. */
__attribute__((unused)) static void make_command(uint8_t *bytes, uint32_t tag, uint32_t wanted,
						 bool is_in, const uint8_t *block, uint8_t length)
{
	memset(bytes, 0, 31);
	memcpy(bytes, "USBC", 4);
	put_little(bytes + 4, tag);
	put_little(bytes + 8, wanted);
	bytes[12] = is_in ? 0x80 : 0;
	bytes[14] = length;
	memcpy(bytes + 15, block, length);
}

__attribute__((unused)) static void send_command(struct disk *d, uint32_t wanted, bool is_in,
						 const uint8_t *block, uint8_t length)
{
	uint8_t bytes[31];

	make_command(bytes, ++d->tag, wanted, is_in, block, length);
	put(d->out, bytes, sizeof(bytes));
}

/* The endpoint stalls after so many bytes; the halt is cleared. */
__attribute__((unused)) static void expect_stall(struct dx_usb_pipe *pipe, uint32_t room,
						 uint32_t expected)
{
	uint8_t bytes[4096] = {0};
	uint32_t actual = 0;

	CHECK_EQ(dx_usb_pipe_io(pipe, bytes, room, 0, &actual), DX_USB_STALLED);
	CHECK_EQ(actual, expected);
	CHECK_EQ(dx_usb_pipe_clear_stall(pipe, true), DX_USB_OK);
}

__attribute__((unused)) static void expect_status(struct disk *d, uint8_t status, uint32_t residue)
{
	uint8_t expected[13] = {'U', 'S', 'B', 'S'};

	put_little(expected + 4, d->tag);
	put_little(expected + 8, residue);
	expected[12] = status;
	expect(d->in, expected, sizeof(expected), sizeof(expected));
}

/* What a host does after a phase error. */
__attribute__((unused)) static void recover(struct disk *d)
{
	CHECK_EQ(model_request(&d->m, 0x21, 0xFF, 0, 0, NULL, 0), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_clear_stall(d->in, true), DX_USB_OK);
	CHECK_EQ(dx_usb_pipe_clear_stall(d->out, true), DX_USB_OK);
}

/* A command with an answer of exactly `length` bytes and good status. */
__attribute__((unused)) static void ask(struct disk *d, const uint8_t *block, uint8_t block_length,
					uint8_t *answer, uint32_t length)
{
	uint32_t actual = 0;

	send_command(d, length, true, block, block_length);
	CHECK_EQ(dx_usb_pipe_io(d->in, answer, length, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, length);
	expect_status(d, 0, 0);
}

__attribute__((unused)) static void expect_sense(struct disk *d, uint8_t key, uint8_t code)
{
	const uint8_t block[6] = {0x03, 0, 0, 0, 18};
	uint8_t sense[18];

	ask(d, block, 6, sense, sizeof(sense));
	CHECK_EQ(sense[0], 0x70);
	CHECK_EQ(sense[2], key);
	CHECK_EQ(sense[7], 10);
	CHECK_EQ(sense[12], code);
}

/* A command without data. code: of the sense, 0 = good. */
__attribute__((unused)) static void tell(struct disk *d, const uint8_t *block, uint8_t length,
					 uint8_t key, uint8_t code)
{
	send_command(d, 0, false, block, length);
	expect_status(d, key == 0 ? 0 : 1, 0);
	expect_sense(d, key, code);
}

__attribute__((unused)) static void disk_write10(struct disk *d, uint32_t address, uint16_t count,
						 uint8_t *bytes, int32_t status)
{
	uint8_t block[10] = {0x2A};

	put_big(block + 2, 4, address);
	put_big(block + 7, 2, count);
	send_command(d, count * 512u, false, block, 10);
	CHECK_EQ(dx_usb_pipe_io(d->out, bytes, count * 512u, 0, NULL), status);
	if (status == DX_USB_STALLED) {
		CHECK_EQ(dx_usb_pipe_clear_stall(d->out, true), DX_USB_OK);
	}
}

/* The status is left to be read. */
__attribute__((unused)) static void disk_read10(struct disk *d, uint32_t address, uint16_t count,
						uint8_t *ret_bytes)
{
	uint8_t block[10] = {0x28};
	uint32_t actual = 0;

	put_big(block + 2, 4, address);
	put_big(block + 7, 2, count);
	send_command(d, count * 512u, true, block, 10);
	CHECK_EQ(dx_usb_pipe_io(d->in, ret_bytes, count * 512u, 0, &actual), DX_USB_OK);
	CHECK_EQ(actual, count * 512u);
}

/* Writes beyond fail from now on, in this process. */
__attribute__((unused)) static void limit_file_size(rlim_t bytes)
{
	const struct rlimit limit = {bytes, bytes};

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
