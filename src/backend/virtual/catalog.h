/* SPDX-License-Identifier: MIT
 *
 * catalog - the models that exist: what each is, which keys it takes, how it is made.
 *
 * Place:      backend/virtual. open.c makes devices from it, `dext device` explains them from it,
 *             so that a key that is documented is a key that exists (a test holds both against each
 *             other). A model is made in two steps: describe() reads the options that decide about
 *             descriptors, create() the others. Between them the keys of every device (serial,
 *             idVendor, ...) change the description.
 */
#ifndef DX_BACKEND_VIRTUAL_CATALOG_H
#define DX_BACKEND_VIRTUAL_CATALOG_H

#include "backend/virtual/description.h"

struct dx_model;
struct dx_options;

struct dx_model_key {
	const char *name; /* NULL ends the list */
	const char *values;
	const char *fallback;
	const char *text; /* one line */
};

struct dx_model_kind {
	const char *name;
	const char *summary;             /* one line */
	const struct dx_model_key *keys; /* beside those of every device */
	const char *const *notes;        /* NULL-ended lines: what surprises */
	/* 0 and a description, or a negative errno with a message in options. */
	int (*describe)(struct dx_options *options, struct dx_description **ret_description);
	/*
	 * Takes the description over, and *fd if there is one. NULL: the description says it all.
	 * @return 0 or a negative errno, with a message in options unless it is -ENOMEM.
	 */
	int (*create)(struct dx_options *options, int *fd, struct dx_description **description,
		      struct dx_model **ret_model);
	/* Opens what create() needs. NULL: nothing. @return a descriptor, or as create(). */
	int (*acquire)(struct dx_options *options);
};

/* All of them, NULL-ended, in the order in which they are shown. */
extern const struct dx_model_kind *const dx_model_kinds[];
const struct dx_model_kind *dx_model_kind_find(const char *name);

/* Keys of every virtual device, and those that make errors. */
extern const struct dx_model_key dx_device_keys[];
extern const struct dx_model_key dx_fault_keys[];

/*
 * The description of the device that a spec names, without the device: "virtual:...", "file:...",
 * "x.device". @return 0; -EINVAL, -ENOENT, ... with one line in message; -ENOMEM.
 */
int dx_catalog_describe(const char *spec, char *message, size_t message_size,
			struct dx_description **ret_description);

/* ---- the models ---- */

extern const struct dx_model_kind dx_model_cdc_acm, dx_model_gadget_zero, dx_model_hid_keyboard,
	dx_model_loopback, dx_model_mass_storage, dx_model_source_sink;

#endif
