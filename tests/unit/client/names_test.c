/* SPDX-License-Identifier: MIT
 *
 * names_test - the handle table.
 */
#include <errno.h>
#include <pthread.h>

#include "client/names.h"
#include "test.h"

static unsigned nr_dropped;

static void count_drop(void *object)
{
	(void)object;
	nr_dropped++;
}

static const struct dx_named_class thing_class = {
	.class = {.name = "thing", .instance_size = sizeof(struct dx_object)},
	.dropped = count_drop,
};

TEST(name_lives_as_long_as_its_references)
{
	void *thing = dx_object_new(&thing_class.class);
	uint32_t name = 0;

	CHECK(dx_names_is_empty());
	CHECK_EQ(dx_names_add(thing, &name), 0);
	CHECK_NE(name, 0);
	(void)dx_object_unref(thing);
	void *got = dx_names_get(name, &thing_class);
	CHECK(got == thing);
	(void)dx_object_unref(got);
	CHECK(dx_names_get(name, &dx_entry_class) == NULL);
	CHECK_EQ(dx_names_retain(name), 0);
	CHECK_EQ(dx_names_refs(name), 2);
	CHECK_EQ(dx_names_release(name), 0);
	CHECK_EQ(nr_dropped, 0);
	CHECK_EQ(dx_names_release(name), 0);
	CHECK_EQ(nr_dropped, 1);
	CHECK_EQ(dx_names_release(name), -ENOENT);
	CHECK_EQ(dx_names_retain(name), -ENOENT);
	CHECK(dx_names_get(name, NULL) == NULL);
	CHECK(dx_names_is_empty());
}

TEST(entry_has_one_name_while_held)
{
	uint32_t names[300];
	uint32_t again = 0;
	uint64_t id = 0;

	for (uint64_t i = 0; i < 300; i++) {
		CHECK_EQ(dx_names_add_entry(i * 1024, &names[i]), 0);
	}
	CHECK_EQ(dx_names_add_entry(5 * 1024, &again), 0);
	CHECK_EQ(again, names[5]);
	CHECK_EQ(dx_names_refs(again), 2);
	CHECK_EQ(dx_names_entry_id(again, &id), 0);
	CHECK_EQ(id, 5 * 1024);
	CHECK_EQ(dx_names_release(again), 0);
	for (uint64_t i = 0; i < 300; i++) {
		CHECK_EQ(dx_names_release(names[i]), 0);
	}
	CHECK_EQ(dx_names_entry_id(names[5], &id), -ENOENT);
}

TEST(stale_name_is_not_the_next_object)
{
	uint32_t stale = 0;
	uint32_t name = 0;

	CHECK_EQ(dx_names_add_entry(1, &stale), 0);
	CHECK_EQ(dx_names_release(stale), 0);
	for (unsigned i = 0; i < 10000; i++) {
		CHECK_EQ(dx_names_add_entry(2, &name), 0);
		CHECK_NE(name, stale);
		CHECK_EQ(dx_names_release(name), 0);
	}
}

TEST(made_up_names_are_refused)
{
	const uint32_t names[] = {0, 1, DX_NAME_TASK, DX_NAME_MAIN_PORT, 0xffffffff, 0x1000};

	for (unsigned i = 0; i < 6; i++) {
		CHECK(dx_names_get(names[i], NULL) == NULL);
		CHECK_EQ(dx_names_release(names[i]), -ENOENT);
	}
}

static void *churn(void *seed)
{
	for (uint64_t i = 0; i < 20000; i++) {
		uint32_t name = 0;

		CHECK_EQ(dx_names_add_entry((i + (uintptr_t)seed) % 7, &name), 0);
		CHECK_EQ(dx_names_release(name), 0);
	}
	return NULL;
}

TEST(names_from_many_threads)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, churn, (void *)i), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK(dx_names_is_empty());
}
