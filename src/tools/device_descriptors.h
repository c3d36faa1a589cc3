/* SPDX-License-Identifier: MIT
 *
 * device_descriptors - descriptors of a device as text or as values.
 *
 * Place:      tools, under device.c.
 * Trust:      bytes of our own models and of description files; lengths are checked all the same.
 */
#ifndef DX_TOOLS_DEVICE_DESCRIPTORS_H
#define DX_TOOLS_DEVICE_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/value.h"

/* A string of the device by its index; NULL if there is none. */
typedef const char *(*dx_descriptor_text_fn)(const void *ctx, uint8_t index);

/*
 * Appends one dictionary for each descriptor in bytes: "descriptor" is its kind, then its fields in
 * order; a field i... that names a string is followed by its text. -ENOMEM.
 */
int dx_descriptors_decode(const uint8_t *bytes, size_t length, dx_descriptor_text_fn text,
			  const void *ctx, struct dx_array *array);
/* What dx_descriptors_decode() has made, one field in a line, indented by what belongs to what. */
void dx_descriptors_print(const struct dx_array *array, FILE *stream);

#endif
