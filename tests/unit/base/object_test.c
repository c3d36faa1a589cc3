/* SPDX-License-Identifier: MIT
 *
 * object_test - counted references and class chains.
 */
#include "test.h"

#include <pthread.h>

#include "base/object.h"

struct animal {
	struct dx_object object;
	int *log; /* where the free chain leaves its marks */
};

struct dog {
	struct animal animal;
	int age;
};

static void animal_free(struct dx_object *object)
{
	int *log = ((struct animal *)(void *)object)->log;

	*log = *log * 10 + 1;
}

static void dog_free(struct dx_object *object)
{
	int *log = ((struct animal *)(void *)object)->log;

	*log = *log * 10 + 2;
}

static bool dog_equal(const struct dx_object *a, const struct dx_object *b)
{
	return ((const struct dog *)(const void *)a)->age == ((const struct dog *)(const void *)b)->age;
}

static const struct dx_class animal_class = {
	.name = "animal", .instance_size = sizeof(struct animal), .free = animal_free};
static const struct dx_class dog_class = {
	.name = "dog",
	.super = &animal_class,
	.instance_size = sizeof(struct dog),
	.free = dog_free,
	.equal = dog_equal,
};
static const struct dx_class puppy_class = {
	.name = "puppy", .super = &dog_class, .instance_size = sizeof(struct dog)};

static struct dog *new_dog(const struct dx_class *class, int age, int *log)
{
	struct dog *dog = dx_object_new(class);

	CHECK(dog != NULL);
	dog->age = age;
	dog->animal.log = log;
	return dog;
}

TEST(object_last_unref_frees_from_class_to_root)
{
	int log = 0;
	struct dog *dog = new_dog(&dog_class, 1, &log);

	CHECK(dx_object_ref(dog) == dog);
	CHECK_EQ(dx_object_refs(dog), 2);
	CHECK(dx_object_unref(dog) == NULL);
	CHECK_EQ(log, 0);
	CHECK(dx_object_unref(dog) == NULL);
	CHECK_EQ(log, 21);
}

TEST(object_null_is_nothing)
{
	CHECK(dx_object_ref(NULL) == NULL);
	CHECK(dx_object_unref(NULL) == NULL);
	CHECK(!dx_object_is_kind(NULL, &dog_class));
	CHECK(dx_object_equal(NULL, NULL));
}

TEST(object_kind_follows_the_chain)
{
	int log = 0;
	struct dog *puppy = new_dog(&puppy_class, 1, &log);

	CHECK(dx_object_is_kind(puppy, &puppy_class));
	CHECK(dx_object_is_kind(puppy, &animal_class));
	CHECK(!dx_object_is_kind(puppy, &(struct dx_class){.name = "puppy"}));
	dx_object_unref(puppy);
}

TEST(object_equality_is_that_of_the_nearest_class)
{
	int log = 0;
	struct dog *a = new_dog(&puppy_class, 1, &log);
	struct dog *b = new_dog(&puppy_class, 1, &log);
	struct dog *c = new_dog(&dog_class, 1, &log);
	struct animal *d = dx_object_new(&animal_class);
	struct animal *e = dx_object_new(&animal_class);

	d->log = &log;
	e->log = &log;
	CHECK(dx_object_equal(a, b));
	CHECK(!dx_object_equal(a, c));
	CHECK(!dx_object_equal(d, e));
	CHECK(dx_object_equal(d, d));
	CHECK(!dx_object_equal(d, NULL));
	dx_object_unref(a);
	dx_object_unref(b);
	dx_object_unref(c);
	dx_object_unref(d);
	dx_object_unref(e);
}

TEST(object_immortal_is_never_counted)
{
	struct animal animal = {.object = {.class = &animal_class, .refs = DX_OBJECT_IMMORTAL}};

	CHECK(dx_object_ref(&animal) == &animal);
	for (int i = 0; i < 10; i++) {
		dx_object_unref(&animal);
	}
	CHECK_EQ(dx_object_refs(&animal), DX_OBJECT_IMMORTAL);
}

TEST(object_extra_bytes_are_zero_and_bounded)
{
	int log = 0;
	struct dog *dog = dx_object_new_extra(&dog_class, 100);
	unsigned char *extra = (unsigned char *)(dog + 1);

	for (int i = 0; i < 100; i++) {
		CHECK_EQ(extra[i], 0);
	}
	dog->animal.log = &log;
	dx_object_unref(dog);
	CHECK(dx_object_new_extra(&dog_class, SIZE_MAX) == NULL);
	CHECK(dx_object_new_extra(&dog_class, SIZE_MAX / 2) == NULL);
}

static void *ref_and_unref(void *object)
{
	for (int i = 0; i < 20000; i++) {
		dx_object_unref(dx_object_ref(object));
	}
	dx_object_unref(object);
	return NULL;
}

TEST(object_count_survives_many_threads)
{
	int log = 0;
	struct dog *dog = new_dog(&dog_class, 1, &log);
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		dx_object_ref(dog);
		CHECK_EQ(pthread_create(&threads[i], NULL, ref_and_unref, dog), 0);
	}
	dx_object_unref(dog);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	CHECK_EQ(log, 21);
}
