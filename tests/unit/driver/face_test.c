/* SPDX-License-Identifier: MIT
 *
 * face_test - faces of objects: set once, freed with the object.
 */
#include "driver/face.h"

#include "test.h"

static int nr_freed;
static void *freed_object;

static void note_free(struct dx_face *face)
{
	nr_freed++;
	freed_object = face->object;
}

TEST(face_is_null_until_set_and_the_first_one_stays)
{
	OSData *data = OSDataCreate("abc", 3);
	struct dx_face first = {.free = note_free, .object = data};
	struct dx_face second = {.free = note_free, .object = data};

	CHECK(OpenDextFaceGet(data) == NULL);
	CHECK(OpenDextFaceSet(data, &first) == &first);
	CHECK(OpenDextFaceSet(data, &second) == &first);
	CHECK(OpenDextFaceGet(data) == &first);
	CHECK(OpenDextFaceGet(NULL) == NULL);
	OSRelease(data);
	CHECK_EQ(nr_freed, 1);
}

TEST(face_of_an_object_of_its_own_has_room_and_is_freed_with_the_last_reference)
{
	struct dx_face *face = NULL;
	void *object = OpenDextFaceNew(100, &face);

	CHECK(object != NULL && face->object == object);
	CHECK_EQ((uintptr_t)face % 16, 0);
	for (unsigned i = 0; i < 100; i++) {
		CHECK_EQ(((unsigned char *)(face + 1))[i], 0);
	}
	face->free = note_free;
	CHECK(OpenDextFaceSet(object, face) == face);
	(void)OSRetain(object);
	OSRelease(object);
	CHECK_EQ(nr_freed, 0);
	OSRelease(object);
	CHECK_EQ(nr_freed, 1);
	CHECK(freed_object == object);
}

TEST(objects_tell_their_class)
{
	OSString *string = OSStringCreate("text", (size_t)-1);

	CHECK(OpenDextObjectClass(string) == OSStringClass.reserved[0]);
	CHECK(OpenDextObjectClass(NULL) == NULL);
	CHECK(!OpenDextServiceIsStandIn((const IOService *)string));
	CHECK(OpenDextServiceClass((const IOService *)string) == NULL);
	CHECK(OpenDextServiceCopyMethodQueue((const IOService *)string, NULL) == NULL);
	CHECK(!OpenDextQueuePost((IODispatchQueue *)string, NULL, NULL, false));
	CHECK(!OpenDextActionPost((OSAction *)string, NULL, NULL));
	CHECK(OpenDextActionCopyTarget((OSAction *)string) == NULL);
	OSRelease(string);
}
