/* SPDX-License-Identifier: MIT
 *
 * address_test - where the broker listens: stale and live sockets, modes, long paths, races.
 */
#include "wire/address.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"
#include "test.h"

static char *directory;

static char *in_directory(const char *name)
{
	if (directory == NULL) {
		CHECK_EQ(dx_private_dir_new("address-test", &directory), 0);
	}
	return dx_path_join(directory, name);
}

static void clean(char *path)
{
	free(path);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
	free(directory);
	directory = NULL;
}

TEST(address_default_prefers_environment_then_user_then_system)
{
	char buffer[200];
	char *inner = in_directory("opendext");
	char *path = in_directory("opendext/broker");

	CHECK_EQ(setenv("OPENDEXT_SOCKET", "/given", 1), 0);
	CHECK_EQ(dx_address_default(buffer, sizeof(buffer)), 0);
	CHECK_STR_EQ(buffer, "/given");
	CHECK_EQ(unsetenv("OPENDEXT_SOCKET"), 0);
	CHECK_EQ(setenv("XDG_RUNTIME_DIR", directory, 1), 0);
	CHECK_EQ(dx_address_default(buffer, sizeof(buffer)), 0);
	CHECK_STR_EQ(buffer, DX_ADDRESS_SYSTEM);
	CHECK_EQ(mkdir(inner, 0700), 0);
	(void)close(open(path, O_CREAT | O_CLOEXEC, 0600));
	CHECK_EQ(dx_address_default(buffer, sizeof(buffer)), 0);
	CHECK_STR_EQ(buffer, path);
	CHECK_EQ(dx_address_default(buffer, 5), -ENAMETOOLONG);
	CHECK_EQ(unsetenv("XDG_RUNTIME_DIR"), 0);
	CHECK_EQ(dx_address_default(buffer, sizeof(buffer)), 0);
	CHECK_STR_EQ(buffer, DX_ADDRESS_SYSTEM);
	free(inner);
	clean(path);
}

TEST(address_over_the_limit_of_unix_sockets_is_refused)
{
	char path[200];
	char buffer[300];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CHECK_EQ(dx_address_listen(path, 0600), -ENAMETOOLONG);
	CHECK_EQ(dx_address_connect(path), -ENAMETOOLONG);
	CHECK_EQ(dx_address_connect(""), -ENOENT);
	CHECK_EQ(setenv("OPENDEXT_SOCKET", path, 1), 0);
	CHECK_EQ(dx_address_default(buffer, sizeof(buffer)), -ENAMETOOLONG);
}

TEST(address_listen_then_connect)
{
	char *path = in_directory("s");
	struct stat status;
	int listener = dx_address_listen(path, 0600);
	int client = -1;

	CHECK_GE(listener, 0);
	CHECK_EQ(stat(path, &status), 0);
	CHECK_EQ(status.st_mode & 07777, 0600);
	client = dx_address_connect(path);
	CHECK_GE(client, 0);
	CHECK_EQ(fcntl(client, F_GETFD), FD_CLOEXEC);
	(void)close(client);
	(void)close(listener);
	clean(path);
}

TEST(address_mode_is_as_asked_whatever_the_umask)
{
	char *path = in_directory("s");
	struct stat status;
	int listener = -1;

	(void)umask(077);
	listener = dx_address_listen(path, 0666);
	CHECK_GE(listener, 0);
	CHECK_EQ(stat(path, &status), 0);
	CHECK_EQ(status.st_mode & 07777, 0666);
	(void)close(listener);
	clean(path);
}

TEST(address_live_socket_is_refused_stale_one_replaced)
{
	char *path = in_directory("s");
	int first = dx_address_listen(path, 0600);
	int second = -1;

	CHECK_GE(first, 0);
	CHECK_EQ(dx_address_listen(path, 0600), -EADDRINUSE);
	(void)close(first); /* died without removing it */
	CHECK_EQ(dx_address_connect(path), -ECONNREFUSED);
	second = dx_address_listen(path, 0600);
	CHECK_GE(second, 0);
	(void)close(second);
	clean(path);
}

TEST(address_broker_with_a_full_backlog_counts_as_alive)
{
	char *path = in_directory("s");
	int listener = dx_address_listen(path, 0600);
	int clients[300];
	int nr_clients = 0;

	CHECK_GE(listener, 0);
	CHECK_EQ(listen(listener, 2), 0);
	for (; nr_clients < 3; nr_clients++) {
		clients[nr_clients] = dx_address_connect(path);
		CHECK_GE(clients[nr_clients], 0);
	}
	CHECK_EQ(dx_address_listen(path, 0600), -EADDRINUSE);
	while (nr_clients > 0) {
		(void)close(clients[--nr_clients]);
	}
	(void)close(listener);
	clean(path);
}

TEST(address_other_file_is_left_alone)
{
	char *path = in_directory("s");
	struct stat status;

	(void)close(open(path, O_CREAT | O_CLOEXEC, 0600));
	CHECK_EQ(dx_address_listen(path, 0600), -ENOTSOCK);
	CHECK_EQ(stat(path, &status), 0);
	CHECK(S_ISREG(status.st_mode));
	clean(path);
}

TEST(address_socket_of_another_kind_is_left_alone)
{
	char *path = in_directory("s");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CHECK_EQ(bind(other, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQ(listen(other, 1), 0);
	CHECK_EQ(dx_address_listen(path, 0600), -EADDRINUSE);
	(void)close(other);
	clean(path);
}

TEST(address_in_a_missing_directory_says_so)
{
	CHECK_EQ(dx_address_listen("/nonexistent/directory/s", 0600), -ENOENT);
	CHECK_EQ(dx_address_connect("/nonexistent/directory/s"), -ENOENT);
}

static void *compete(void *path)
{
	return (void *)(intptr_t)dx_address_listen(path, 0600);
}

/* All listen until all have tried, so exactly one may have got it. */
TEST(address_of_several_brokers_at_a_stale_socket_one_wins)
{
	char *path = in_directory("s");
	char *lock = in_directory("s.lock");

	for (int round = 0; round < 50; round++) {
		pthread_t threads[4];
		int winner = -1;
		int stale = dx_address_listen(path, 0600);

		CHECK_GE(stale, 0);
		(void)close(stale);
		for (size_t i = 0; i < 4; i++) {
			CHECK_EQ(pthread_create(&threads[i], NULL, compete, path), 0);
		}
		for (size_t i = 0; i < 4; i++) {
			void *result = NULL;
			int fd = -1;

			CHECK_EQ(pthread_join(threads[i], &result), 0);
			fd = (int)(intptr_t)result;
			CHECK(fd == -EADDRINUSE || (fd >= 0 && winner < 0));
			winner = fd >= 0 ? fd : winner;
		}
		CHECK_GE(winner, 0);
		CHECK(access(lock, F_OK) < 0);
		(void)close(winner);
	}
	free(lock);
	clean(path);
}
