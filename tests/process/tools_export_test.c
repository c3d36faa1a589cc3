/* SPDX-License-Identifier: MIT
 *
 * tools_export_test - `dext export` as a program: what it prints, how it ends, what it refuses.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

#define ZERO "virtual:gadget-zero,speed=high"

static void start(struct tools_program *program, const char *directory, const char *option)
{
	const char *const argv[] = {
		"dext", "export", "--listen", "127.0.0.1:0", "--json", ZERO, "virtual:gadget-zero",
		option, NULL};

	tools_start(program, directory, argv);
	tools_wait_output(program, "\n");
}

static uint16_t port_of(const struct tools_program *program)
{
	const char *text = strstr(program->out, "\"port\": ");

	CHECK(text != NULL);
	return (uint16_t)strtoul(text + 8, NULL, 10);
}

static int connect_to(uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(port),
					    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_GE(fd, 0);
	CHECK_EQ(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

TEST(export_serves_and_ends_at_a_signal)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	static const uint8_t import[40] = {0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, 'x', '-', '2'};
	char directory[64];

	tools_make_directory(directory, sizeof(directory));
	for (unsigned i = 0; i < 3; i++) {
		struct tools_program program;
		uint8_t reply[320];
		uint8_t byte = 0;
		int fd = -1;

		start(&program, directory, "--busid=x");
		CHECK(strstr(program.out,
			     "\"busid\": \"x-1\", \"idVendor\": 1317, \"idProduct\": 42144, "
			     "\"speed\": \"high\"") != NULL);
		fd = connect_to(port_of(&program));
		CHECK_EQ(send(fd, import, sizeof(import), 0), (ssize_t)sizeof(import));
		CHECK_EQ(recv(fd, reply, sizeof(reply), MSG_WAITALL), (ssize_t)sizeof(reply));
		CHECK_EQ(reply[7], 0);
		CHECK_EQ(kill(program.pid, signals[i]), 0);
		tools_wait(&program, 20);
		tools_check_status(&program, 0);
		CHECK_STR_EQ(program.err, "");
		CHECK_EQ(recv(fd, &byte, 1, 0), 0);
		(void)close(fd);
	}
	tools_check_clean(directory);
}

TEST(export_says_what_happens_when_asked)
{
	static const uint8_t nonsense[8] = {1};
	struct tools_program program;
	char directory[64];
	int fd = -1;

	tools_make_directory(directory, sizeof(directory));
	start(&program, directory, "--verbose");
	fd = connect_to(port_of(&program));
	tools_wait_output(&program, "has connected");
	CHECK_EQ(send(fd, nonsense, sizeof(nonsense), 0), (ssize_t)sizeof(nonsense));
	tools_wait_output(&program, "what it asks for is no USB/IP 1.1.1");
	(void)close(fd);
	CHECK_EQ(kill(program.pid, SIGINT), 0);
	tools_wait(&program, 20);
	tools_check_status(&program, 0);
	tools_check_clean(directory);
}

TEST(export_prints_the_line_that_attaches)
{
	const char *const argv[] = {"dext", "export", "--listen=[::1]:0", ZERO, NULL};
	struct tools_program program;
	char directory[64];
	char line[128];
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
					     .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		SKIP("no IPv6 here");
	}
	(void)close(fd);
	tools_make_directory(directory, sizeof(directory));
	tools_start(&program, directory, argv);
	tools_wait_output(&program, "attach");
	CHECK_EQ(strncmp(program.out, "1-1  0525:a4a0  high  " ZERO "\n    usbip --tcp-port ", 70),
		 0);
	(void)snprintf(line, sizeof(line), " attach -r ::1 -b 1-1\n");
	CHECK(strstr(program.out, line) != NULL);
	CHECK_EQ(kill(program.pid, SIGTERM), 0);
	tools_wait(&program, 20);
	tools_check_status(&program, 0);
	tools_check_clean(directory);
}

static void expect(int status, const char *says, const char *const *argv)
{
	struct tools_program program;
	char directory[64];

	tools_make_directory(directory, sizeof(directory));
	tools_run(&program, directory, argv);
	tools_check_status(&program, status);
	if (!tools_is_one_line(program.err, says)) {
		FAIL("stderr: %s", program.err);
	}
	CHECK_STR_EQ(program.out, "");
	tools_check_clean(directory);
}

#define EXPECT(status, says, ...)                                                                  \
	expect(status, says, (const char *const[]){"dext", "export", __VA_ARGS__, NULL})

TEST(export_refuses_what_it_cannot_do)
{
	EXPECT(2, "which device?", "--json");
	EXPECT(2, "no --socket", "--socket=/x", ZERO);
	EXPECT(2, "--nothing", "--nothing", ZERO);
	EXPECT(1, "speed=warp", "--listen=127.0.0.1:0", "virtual:gadget-zero,speed=warp");
	EXPECT(1, "no backend understands it", "--listen=127.0.0.1:0", "nothing:at-all");
	EXPECT(1, "bus id", "--listen=127.0.0.1:0", "--busid=a/b", ZERO);
	EXPECT(1, "65535", "--listen=127.0.0.1:65536", ZERO);
	EXPECT(1, "cannot listen at 192.0.2.1", "--listen=192.0.2.1:0", ZERO);
}

TEST(export_of_an_address_that_is_taken)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char option[64];

	CHECK_EQ(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQ(listen(fd, 1), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(option, sizeof(option), "--listen=127.0.0.1:%u", ntohs(address.sin_port));
	EXPECT(1, "Address already in use", option, ZERO);
	(void)close(fd);
}
