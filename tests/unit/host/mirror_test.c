/* SPDX-License-Identifier: MIT
 *
 * mirror_test - what was reported is what the next broker will be told.
 */
#include "host/mirror.h"

#include <errno.h>

#include "test.h"
#include "wire/wire.h"

static struct dx_dict *one(const char *key, const char *text)
{
	struct dx_dict *dict = dx_dict_new();

	CHECK_EQ(dx_dict_set_string(dict, key, text), 0);
	return dict;
}

static void add_started(struct dx_mirror *mirror, uint64_t id, uint64_t provider_id)
{
	struct dx_dict *start = one(DX_START_CLASS_KEY, "Class");

	CHECK_EQ(dx_mirror_add_started(mirror, id, provider_id, start), 0);
	dx_object_unref(start);
}

TEST(mirror_describes_what_was_reported)
{
	struct dx_mirror mirror;
	struct dx_dict *properties = one("Key", "value");
	struct dx_dict *more = one("More", "1");

	dx_mirror_init(&mirror);
	CHECK(dx_mirror_is_empty(&mirror));
	add_started(&mirror, 10, 5);
	CHECK_EQ(dx_mirror_add_made(&mirror, 11, 10, "IOUserUserClient", "client", properties), 0);
	dx_mirror_set_registered(&mirror, 10);
	CHECK_EQ(dx_mirror_set_name(&mirror, 10, "renamed"), 0);
	CHECK_EQ(dx_mirror_set_properties(&mirror, 10, properties), 0);
	CHECK_EQ(dx_mirror_set_properties(&mirror, 10, more), 0);
	dx_mirror_remove_property(&mirror, 10, "Key");
	CHECK(!dx_mirror_is_empty(&mirror));

	struct dx_array *array = dx_mirror_describe(&mirror);
	CHECK_EQ(dx_array_count(array), 2);
	const struct dx_dict *first = dx_array_get(array, 0);
	const struct dx_dict *second = dx_array_get(array, 1);
	CHECK_EQ(dx_dict_get_u64(first, DX_ENTRY_ID_KEY, 0), 10);
	CHECK_EQ(dx_dict_get_u64(first, DX_ENTRY_PARENT_KEY, 0), 5);
	CHECK(dx_dict_get_bool(first, DX_ENTRY_REGISTERED_KEY, false));
	CHECK_STR_EQ(dx_dict_get_string(first, DX_ENTRY_NAME_KEY, ""), "renamed");
	CHECK_STR_EQ(dx_dict_get_string(dx_dict_get_dict(first, DX_ADOPT_START_KEY),
					DX_START_CLASS_KEY, ""),
		     "Class");
	const struct dx_dict *user = dx_dict_get_dict(first, DX_ADOPT_USER_PROPERTIES_KEY);
	CHECK_STR_EQ(dx_dict_get_string(user, "More", ""), "1");
	CHECK(dx_dict_get_string(user, "Key", NULL) == NULL);
	CHECK_STR_EQ(dx_dict_get_string(second, DX_ADOPT_CLASS_KEY, ""), "IOUserUserClient");
	CHECK_STR_EQ(dx_dict_get_string(second, DX_ENTRY_NAME_KEY, ""), "client");
	CHECK(!dx_dict_get_bool(second, DX_ENTRY_REGISTERED_KEY, false));
	CHECK_STR_EQ(
		dx_dict_get_string(dx_dict_get_dict(second, DX_ENTRY_PROPERTIES_KEY), "Key", ""),
		"value");
	dx_object_unref(array);
	dx_object_unref(properties);
	dx_object_unref(more);
	dx_mirror_fini(&mirror);
}

TEST(mirror_description_is_a_copy)
{
	struct dx_mirror mirror;

	dx_mirror_init(&mirror);
	add_started(&mirror, 10, 5);
	struct dx_array *array = dx_mirror_describe(&mirror);
	dx_mirror_set_registered(&mirror, 10);
	CHECK(!dx_dict_get_bool(dx_array_get(array, 0), DX_ENTRY_REGISTERED_KEY, false));
	dx_object_unref(array);
	dx_mirror_fini(&mirror);
}

TEST(mirror_add_of_a_known_id_leaves_the_first)
{
	struct dx_mirror mirror;
	struct dx_dict *start = dx_dict_new();

	dx_mirror_init(&mirror);
	add_started(&mirror, 10, 5);
	CHECK_EQ(dx_mirror_add_started(&mirror, 10, 6, start), -EEXIST);
	CHECK_EQ(dx_mirror_add_made(&mirror, 10, 6, "IOService", "x", NULL), -EEXIST);
	struct dx_array *array = dx_mirror_describe(&mirror);
	CHECK_EQ(dx_array_count(array), 1);
	CHECK_EQ(dx_dict_get_u64(dx_array_get(array, 0), DX_ENTRY_PARENT_KEY, 0), 5);
	dx_object_unref(array);
	dx_object_unref(start);
	dx_mirror_fini(&mirror);
}

TEST(mirror_ignores_ids_that_have_gone)
{
	struct dx_mirror mirror;
	struct dx_dict *properties = one("Key", "value");

	dx_mirror_init(&mirror);
	add_started(&mirror, 10, 5);
	dx_mirror_remove(&mirror, 10);
	dx_mirror_remove(&mirror, 10);
	dx_mirror_set_registered(&mirror, 10);
	CHECK_EQ(dx_mirror_set_name(&mirror, 10, "x"), 0);
	CHECK_EQ(dx_mirror_set_properties(&mirror, 10, properties), 0);
	dx_mirror_remove_property(&mirror, 10, "Key");
	dx_mirror_want_termination(&mirror, 10);
	dx_mirror_lose_provider(&mirror, 5, true);
	dx_mirror_adjust_busy(&mirror, 10, 1);
	CHECK(dx_mirror_is_empty(&mirror));
	dx_object_unref(properties);
	dx_mirror_fini(&mirror);
}

struct heard {
	unsigned nr_news;
	struct dx_mirror_news last;
};

static void hear(void *context, const struct dx_mirror_news *news)
{
	struct heard *heard = context;

	heard->nr_news++;
	heard->last = *news;
}

TEST(mirror_keeps_news_until_the_entry_goes)
{
	struct dx_mirror mirror;
	struct heard heard = {0};

	dx_mirror_init(&mirror);
	add_started(&mirror, 10, 5);
	add_started(&mirror, 20, 6);
	dx_mirror_each_news(&mirror, hear, &heard);
	CHECK_EQ(heard.nr_news, 0);
	dx_mirror_adjust_busy(&mirror, 10, 3);
	dx_mirror_adjust_busy(&mirror, 10, -1);
	dx_mirror_want_termination(&mirror, 10);
	dx_mirror_lose_provider(&mirror, 5, true);
	dx_mirror_each_news(&mirror, hear, &heard);
	CHECK_EQ(heard.nr_news, 1);
	CHECK_EQ(heard.last.id, 10);
	CHECK_EQ(heard.last.parent_id, 5);
	CHECK_EQ(heard.last.busy, 2);
	CHECK(heard.last.termination_wanted);
	CHECK(heard.last.provider_lost);
	CHECK(heard.last.provider_reset);
	dx_mirror_remove(&mirror, 10);
	dx_mirror_each_news(&mirror, hear, &heard);
	CHECK_EQ(heard.nr_news, 1);
	dx_mirror_fini(&mirror);
}

TEST(mirror_describes_what_was_configured_to_the_services_on_the_device)
{
	struct dx_mirror mirror;

	dx_mirror_init(&mirror);
	add_started(&mirror, 10, 5);
	add_started(&mirror, 11, 6);
	CHECK_EQ(dx_mirror_set_configuration(&mirror, 5, 2, true), 0);
	CHECK_EQ(dx_mirror_set_configuration(&mirror, 5, 3, false), 0); /* the last one counts */
	CHECK_EQ(dx_mirror_set_configuration(&mirror, 7, 1, true), 0);

	struct dx_array *services = dx_mirror_describe(&mirror);
	const struct dx_dict *first = dx_array_get(services, 0);
	CHECK_EQ(dx_dict_get_u64(first, DX_ADOPT_CONFIGURATION_KEY, 0), 3);
	CHECK(!dx_dict_get_bool(first, DX_ADOPT_MATCHES_KEY, true));
	CHECK_EQ(dx_dict_get_u64(dx_array_get(services, 1), DX_ADOPT_CONFIGURATION_KEY, 77), 77);
	(void)dx_object_unref(services);
	dx_mirror_fini(&mirror);
}
