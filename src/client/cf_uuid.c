/* SPDX-License-Identifier: MIT
 *
 * cf_uuid - 128-bit identifiers.
 *
 * Place:   client. Constant identifiers live as long as the process and are found again by their
 *          bytes; programs have a handful.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <CoreFoundation/CFUUID.h>

#include "base/list.h"
#include "base/mutex.h"
#include "client/cf.h"

struct __CFUUID {
	struct dx_object object;
	CFUUIDBytes bytes;
	struct dx_list node; /* of the constants */
};

static bool uuid_equal(const struct dx_object *a, const struct dx_object *b)
{
	return memcmp(&((const struct __CFUUID *)(const void *)a)->bytes,
		      &((const struct __CFUUID *)(const void *)b)->bytes, sizeof(CFUUIDBytes)) == 0;
}

const struct dx_class dx_cf_uuid_class = {
	.name = "UUID",
	.instance_size = sizeof(struct __CFUUID),
	.equal = uuid_equal,
};

static struct {
	struct dx_mutex lock; /* order 90; guards: list, ready */
	struct dx_list list DX_GUARDED_BY(lock);
	bool ready DX_GUARDED_BY(lock);
} constants = {.lock = DX_MUTEX_INIT};

static struct __CFUUID *uuid_new(const CFUUIDBytes *bytes)
{
	struct __CFUUID *uuid = dx_object_new(&dx_cf_uuid_class);

	if (uuid != NULL) {
		uuid->bytes = *bytes;
		dx_list_init(&uuid->node);
	}
	return uuid;
}

CFTypeID CFUUIDGetTypeID(void)
{
	return DX_CF_UUID;
}

CFUUIDRef CFUUIDCreate(CFAllocatorRef alloc)
{
	CFUUIDBytes bytes;

	(void)alloc;
	if (getrandom(&bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		return NULL;
	}
	bytes.byte6 = (UInt8)((bytes.byte6 & 0x0f) | 0x40); /* version 4 */
	bytes.byte8 = (UInt8)((bytes.byte8 & 0x3f) | 0x80); /* of RFC 4122 */
	return uuid_new(&bytes);
}

CFUUIDRef CFUUIDCreateFromUUIDBytes(CFAllocatorRef alloc, CFUUIDBytes bytes)
{
	(void)alloc;
	return uuid_new(&bytes);
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

	return found == NULL ? -1 : (int)(found - digits);
}

/* @return whether text has the form 8-4-4-4-12. */
static bool parse(const char *text, unsigned char bytes[16])
{
	unsigned count = 0;

	while (count < 16) {
		int high = digit(text[0]);
		int low = high < 0 ? -1 : digit(text[1]);

		if (low < 0) {
			return false;
		}
		bytes[count++] = (unsigned char)(high << 4 | low);
		text += 2;
		if ((count == 4 || count == 6 || count == 8 || count == 10) && *text++ != '-') {
			return false;
		}
	}
	return *text == '\0';
}

CFUUIDRef CFUUIDCreateFromString(CFAllocatorRef alloc, CFStringRef uuidStr)
{
	unsigned char parsed[16];
	CFUUIDBytes bytes;

	(void)alloc;
	if (uuidStr == NULL || !parse(dx_string_get((const void *)uuidStr), parsed)) {
		return NULL;
	}
	memcpy(&bytes, parsed, sizeof(bytes));
	return uuid_new(&bytes);
}

CFStringRef CFUUIDCreateString(CFAllocatorRef alloc, CFUUIDRef uuid)
{
	const CFUUIDBytes *b = &uuid->bytes;
	char text[40];

	(void)alloc;
	(void)snprintf(text, sizeof(text),
		       "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
		       b->byte0, b->byte1, b->byte2, b->byte3, b->byte4, b->byte5, b->byte6,
		       b->byte7, b->byte8, b->byte9, b->byte10, b->byte11, b->byte12, b->byte13,
		       b->byte14, b->byte15); /* 36 characters */
	return (CFStringRef)dx_string_new(text);
}

static struct __CFUUID *find_locked(const CFUUIDBytes *bytes) DX_REQUIRES(constants.lock)
{
	dx_list_for_each(node, &constants.list) {
		struct __CFUUID *uuid = dx_list_entry(node, struct __CFUUID, node);

		if (memcmp(&uuid->bytes, bytes, sizeof(*bytes)) == 0) {
			return uuid;
		}
	}
	return NULL;
}

static struct __CFUUID *get_locked(const CFUUIDBytes *bytes) DX_REQUIRES(constants.lock)
{
	if (!constants.ready) {
		dx_list_init(&constants.list);
		constants.ready = true;
	}
	struct __CFUUID *uuid = find_locked(bytes);
	if (uuid == NULL) {
		uuid = uuid_new(bytes);
		if (uuid != NULL) {
			atomic_store_explicit(&uuid->object.refs, DX_OBJECT_IMMORTAL,
					      memory_order_relaxed);
			dx_list_push_back(&constants.list, &uuid->node);
		}
	}
	return uuid;
}

CFUUIDRef CFUUIDGetConstantUUIDWithBytes(CFAllocatorRef alloc, UInt8 byte0, UInt8 byte1, UInt8 byte2,
					 UInt8 byte3, UInt8 byte4, UInt8 byte5, UInt8 byte6,
					 UInt8 byte7, UInt8 byte8, UInt8 byte9, UInt8 byte10,
					 UInt8 byte11, UInt8 byte12, UInt8 byte13, UInt8 byte14,
					 UInt8 byte15)
{
	const CFUUIDBytes bytes = {byte0, byte1, byte2,	 byte3,	 byte4,	 byte5,	 byte6,	 byte7,
				   byte8, byte9, byte10, byte11, byte12, byte13, byte14, byte15};

	(void)alloc;
	dx_mutex_lock(&constants.lock);
	struct __CFUUID *uuid = get_locked(&bytes);
	dx_mutex_unlock(&constants.lock);
	return uuid;
}

CFUUIDBytes CFUUIDGetUUIDBytes(CFUUIDRef uuid)
{
	return uuid->bytes;
}
