/* SPDX-License-Identifier: MIT
 *
 * tags_test - numbers of asynchronous calls.
 */
#include <errno.h>

#include "base/limits.h"
#include "base/object.h"
#include "client/tags.h"
#include "test.h"

static const struct dx_class port_class = {.name = "port", .instance_size = sizeof(struct dx_object)};

TEST(tag_numbers_are_never_used_again)
{
	struct dx_tags tags = {0};
	struct dx_tag tag;
	void *port = dx_object_new(&port_class);
	const struct dx_tag wanted = {.port = port, .function = 1, .refcon = 2, .further = port};
	uint64_t first = 0;
	uint64_t second = 0;

	dx_tags_init(&tags);
	CHECK_EQ(dx_tags_add(&tags, &wanted, &first), 0);
	CHECK_EQ(dx_object_refs(port), 3);
	CHECK_EQ(dx_tags_get(&tags, first, &tag), 0);
	CHECK_EQ(tag.function, 1);
	CHECK_EQ(tag.refcon, 2);
	CHECK_EQ(dx_object_refs(port), 5);
	dx_tag_fini(&tag);
	dx_tags_remove(&tags, first);
	dx_tags_remove(&tags, first);
	CHECK_EQ(dx_object_refs(port), 1);
	CHECK_EQ(dx_tags_get(&tags, first, &tag), -ENOENT);
	CHECK_EQ(dx_tags_add(&tags, &wanted, &second), 0);
	CHECK_NE(first, second);
	dx_tags_fini(&tags);
	CHECK_EQ(dx_object_refs(port), 1);
	(void)dx_object_unref(port);
}

TEST(unknown_tags_are_ignored)
{
	struct dx_tags tags = {0};
	struct dx_tag tag;
	const uint64_t numbers[] = {0, 1, UINT64_MAX, UINT32_MAX, 1ull << 32};

	dx_tags_init(&tags);
	for (unsigned i = 0; i < 5; i++) {
		dx_tags_remove(&tags, numbers[i]);
		CHECK_EQ(dx_tags_get(&tags, numbers[i], &tag), -ENOENT);
	}
	dx_tags_fini(&tags);
}

TEST(tags_have_a_limit)
{
	struct dx_tags tags = {0};
	void *port = dx_object_new(&port_class);
	uint64_t number = 0;

	dx_tags_init(&tags);
	for (unsigned i = 0; i < DX_MAX_ASYNC_ACTIONS; i++) {
		CHECK_EQ(dx_tags_add(&tags, &(struct dx_tag){.port = port, .refcon = i}, &number), 0);
	}
	CHECK_EQ(dx_tags_add(&tags, &(struct dx_tag){.port = port}, &number), -ENOBUFS);
	dx_tags_remove(&tags, number);
	CHECK_EQ(dx_tags_add(&tags, &(struct dx_tag){.port = port}, &number), 0);
	dx_tags_fini(&tags);
	(void)dx_object_unref(port);
}
