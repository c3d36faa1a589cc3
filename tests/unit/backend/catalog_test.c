/* SPDX-License-Identifier: MIT
 *
 * catalog - what is said about models is true: their keys exist, and so do their defaults.
 */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/virtual/catalog.h"

#define FILE_KEY ",file=catalog_test.disk"

/* A spec of the model that opens. */
static void make_spec(const struct dx_model_kind *kind, const char *rest, char *spec, size_t size)
{
	(void)snprintf(spec, size, "virtual:%s%s%s", kind->name,
		       kind->acquire != NULL ? FILE_KEY : "", rest);
}

static void make_disk(void)
{
	int fd = open("catalog_test.disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_GE(fd, 0);
	CHECK_EQ(ftruncate(fd, 65536), 0);
	CHECK_EQ(close(fd), 0);
}

static int open_spec(const char *spec, char *message, size_t message_size)
{
	struct dx_usb_device *device = NULL;
	int result =
		dx_usb_device_attach(fixture_backends, spec, -1, message, message_size, &device);

	(void)dx_usb_device_unref(device);
	return result;
}

TEST(catalog_models_open_without_keys)
{
	char spec[256];
	char message[256] = "";

	make_disk();
	for (unsigned i = 0; dx_model_kinds[i] != NULL; i++) {
		make_spec(dx_model_kinds[i], "", spec, sizeof(spec));
		CHECK_EQ(open_spec(spec, message, sizeof(message)), 0);
		CHECK(dx_model_kind_find(dx_model_kinds[i]->name) == dx_model_kinds[i]);
	}
	CHECK(dx_model_kind_find("printer") == NULL);
	CHECK_EQ(unlink("catalog_test.disk"), 0);
}

/* A value that no key takes is refused by the key, not as unknown; a default is accepted. */
static void check_keys(const struct dx_model_kind *kind, const struct dx_model_key *keys)
{
	char rest[128];
	char spec[256];

	for (; keys->name != NULL; keys++) {
		char message[256] = "";
		bool is_text =
			strcmp(keys->values, "TEXT") == 0 || strcmp(keys->values, "PATH") == 0;
		bool has_value = strpbrk(keys->fallback, " ") == NULL &&
				 strchr("0123456789", keys->fallback[0]) != NULL;

		(void)snprintf(rest, sizeof(rest), ",%s=\x01", keys->name);
		make_spec(kind, rest, spec, sizeof(spec));
		if (!is_text) {
			CHECK_EQ(open_spec(spec, message, sizeof(message)), -EINVAL);
			CHECK(strstr(message, "unknown key") == NULL);
		}
		if (has_value) {
			(void)snprintf(rest, sizeof(rest), ",%s=%s", keys->name, keys->fallback);
			make_spec(kind, rest, spec, sizeof(spec));
			if (open_spec(spec, message, sizeof(message)) < 0) {
				FAIL("%s", message);
			}
		}
	}
}

TEST(catalog_keys_exist_and_defaults_are_accepted)
{
	make_disk();
	for (unsigned i = 0; dx_model_kinds[i] != NULL; i++) {
		check_keys(dx_model_kinds[i], dx_model_kinds[i]->keys);
		check_keys(dx_model_kinds[i], dx_device_keys);
		check_keys(dx_model_kinds[i], dx_fault_keys);
	}
	CHECK_EQ(unlink("catalog_test.disk"), 0);
}

/* Choices that are listed are taken, one by one. */
TEST(catalog_listed_choices_are_taken)
{
	char message[256] = "";
	char spec[256];
	char rest[128];

	make_disk();
	for (unsigned i = 0; dx_model_kinds[i] != NULL; i++) {
		for (const struct dx_model_key *key = dx_model_kinds[i]->keys; key->name != NULL;
		     key++) {
			const char *at = strstr(key->values, ", ") == NULL ? "" : key->values;

			while (*at != '\0') {
				int length = (int)strcspn(at, ",");

				(void)snprintf(rest, sizeof(rest), ",%s=%.*s", key->name, length,
					       at);
				make_spec(dx_model_kinds[i], rest, spec, sizeof(spec));
				if (strstr(rest, "isochronous") == NULL &&
				    open_spec(spec, message, sizeof(message)) < 0) {
					FAIL("%s", message);
				}
				at += length;
				at += strspn(at, ", ");
			}
		}
	}
	CHECK_EQ(unlink("catalog_test.disk"), 0);
}

TEST(catalog_describes_without_the_device)
{
	struct dx_description *description = NULL;
	char message[256] = "";

	CHECK_EQ(dx_catalog_describe("virtual:mass-storage,idVendor=1", message, sizeof(message),
				     &description),
		 0);
	CHECK_EQ(description->vendor, 1);
	description = dx_description_free(description);
	CHECK_EQ(dx_catalog_describe("virtual:cdc-acm,echo=no,short=3,address=4,sped=full", message,
				     sizeof(message), &description),
		 -EINVAL);
	CHECK(strstr(message, "sped: unknown key") != NULL);
	CHECK_EQ(dx_catalog_describe("usb:1-1", message, sizeof(message), &description), -EINVAL);
	CHECK_STR_EQ(message, "device \"usb:1-1\": not a virtual device");
	CHECK_EQ(dx_catalog_describe("virtual:x", message, sizeof(message), &description), -EINVAL);
	CHECK(strstr(message, "\"x\" does not exist") != NULL);
	CHECK_EQ(dx_catalog_describe("file:/no/such", message, sizeof(message), &description),
		 -ENOENT);
	CHECK_EQ(dx_catalog_describe("virtual:cdc-acm,speed=x", message, sizeof(message),
				     &description),
		 -EINVAL);
}
