/* SPDX-License-Identifier: MIT
 *
 * disk_test - a driver and a disk: the file is opened for a process that may open none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/world.h"

enum { PIPE_IN = 0, PIPE_OUT = 1, BLOCK = 512 };

static char path[128];

static const char *make_disk(const char *options)
{
	static char spec[256];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/disk_test.%d", getcwd(spec, 100), (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK_GE(fd, 0);
	CHECK_EQ(ftruncate(fd, 64 * BLOCK), 0);
	CHECK_EQ(close(fd), 0);
	(void)snprintf(spec, sizeof(spec),
		       "virtual:mass-storage,idVendor=0x525,idProduct=0xa4a0,speed=super,file=%s%s",
		       path, options);
	return spec;
}

static uint8_t *map_buffer(io_connect_t connect, uint32_t pipe)
{
	mach_vm_address_t address = 0;
	mach_vm_size_t size = 0;

	CHECK_EQ(IOConnectMapMemory64(connect, CONTRACT_MEMORY_USB_IN + pipe, mach_task_self(),
				      &address, &size, kIOMapAnywhere),
		 kIOReturnSuccess);
	return (uint8_t *)(uintptr_t)address;
}

static void move(io_connect_t connect, uint64_t pipe, uint64_t bytes)
{
	const uint64_t input[] = {pipe, bytes, WORLD_WAIT_MS};
	uint64_t output[2] = {0};

	CHECK_EQ(world_call(connect, CONTRACT_USB_IO, input, 3, output, 2), kIOReturnSuccess);
	CHECK_EQ((IOReturn)output[0], kIOReturnSuccess);
	CHECK_EQ(output[1], bytes);
}

/* A command of 10 bytes about one block; data as the command says. @return its status. */
static uint8_t command(io_connect_t connect, uint8_t *in, uint8_t *out, uint8_t code, uint8_t block,
		       const uint8_t *data)
{
	memset(out, 0, 31);
	memcpy(out, "USBC", 4);
	out[9] = code == 0x35 ? 0 : 2; /* 512 bytes of data, or none */
	out[12] = code == 0x28 ? 0x80 : 0;
	out[14] = 10;
	out[15] = code;
	out[20] = block;
	out[23] = 1;
	move(connect, PIPE_OUT, 31);
	if (code == 0x28) {
		move(connect, PIPE_IN, BLOCK);
	} else if (data != NULL) {
		memcpy(out, data, BLOCK);
		move(connect, PIPE_OUT, BLOCK);
	}
	if (code != 0x28) {
		move(connect, PIPE_IN, 13);
		CHECK_EQ(memcmp(in, "USBS", 4), 0);
		return in[12];
	}
	return 0;
}

CONTRACT(disk_of_a_file_is_read_and_written)
{
	uint64_t device = world_attach(make_disk(""));
	io_connect_t connect = world_open_type(CONTRACT_USB, CONTRACT_OPEN);
	uint8_t *in = NULL;
	uint8_t *out = NULL;
	uint8_t block[BLOCK];
	uint8_t read_back[BLOCK];
	int fd = -1;

	DO(connect, CONTRACT_USB_CONFIGURE, 1);
	in = map_buffer(connect, PIPE_IN);
	out = map_buffer(connect, PIPE_OUT);
	for (unsigned i = 0; i < BLOCK; i++) {
		block[i] = (uint8_t)(i * 13 >> 1);
	}
	CHECK_EQ(command(connect, in, out, 0x2A, 7, block), 0); /* write */
	CHECK_EQ(command(connect, in, out, 0x35, 0, NULL), 0);  /* flush */
	(void)command(connect, in, out, 0x28, 7, NULL);         /* read */
	CHECK_MEM_EQ(in, block, BLOCK);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_EQ(pread(fd, read_back, BLOCK, 7 * BLOCK), BLOCK);
	CHECK_EQ(close(fd), 0);
	CHECK_MEM_EQ(read_back, block, BLOCK);
	world_close(connect);
	world_detach(device);
	CHECK_EQ(unlink(path), 0);
}

CONTRACT(disk_without_its_file_is_not_attached)
{
	char message[512] = "";
	const char *spec = make_disk("");

	CHECK_EQ(unlink(path), 0);
	CHECK(!world_try_attach(spec, message, sizeof(message)));
	CHECK(strstr(message, "No such file or directory") != NULL);
	CHECK(!world_try_attach("virtual:mass-storage", message, sizeof(message)));
	CHECK(strstr(message, "file: missing") != NULL);
}
