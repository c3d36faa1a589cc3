/* SPDX-License-Identifier: MIT
 *
 * numbers - lists of entries whose numbers are alike when mixed with a secret; see numbers.h.
 *
 * Place:      export.
 */
#include "export/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"

#define FIRST_BITS 6u

/* Each bit of the number and of the secret moves each bit of the place. */
static size_t place_of(const struct dx_export_numbers *numbers, unsigned bits, uint32_t number)
{
	uint64_t mixed = numbers->secret ^ number;

	for (unsigned i = 0; i < 2; i++) {
		mixed *= 0x9E3779B97F4A7C15u; /* odd, and half of its bits are set */
		mixed ^= mixed >> 29;
	}
	return (size_t)((mixed * 0x9E3779B97F4A7C15u) >> (64 - bits));
}

static struct dx_list *places_new(unsigned bits)
{
	size_t count = (size_t)1 << bits;
	struct dx_list *places = calloc(count, sizeof(*places));

	for (size_t i = 0; places != NULL && i < count; i++) {
		dx_list_init(&places[i]);
	}
	return places;
}

int dx_export_numbers_init(struct dx_export_numbers *numbers)
{
	*numbers = (struct dx_export_numbers){.places = places_new(FIRST_BITS), .bits = FIRST_BITS};
	if (numbers->places == NULL) {
		return -ENOMEM;
	}
	if (getrandom(&numbers->secret, sizeof(numbers->secret), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(numbers->secret)) { /* a machine that has just been switched on */
		numbers->secret = dx_clock_now_ns() * 0x9E3779B97F4A7C15u;
	}
	return 0;
}

void dx_export_numbers_fini(struct dx_export_numbers *numbers)
{
	free(numbers->places);
	numbers->places = NULL;
}

/* Twice the places. What shares one keeps its order. */
static void grow(struct dx_export_numbers *numbers)
{
	unsigned bits = numbers->bits + 1;
	struct dx_list *places = places_new(bits);

	if (places == NULL) {
		return; /* N1 */
	}
	for (size_t i = 0; i < (size_t)1 << numbers->bits; i++) {
		for (struct dx_list *node = dx_list_pop_front(&numbers->places[i]); node != NULL;
		     node = dx_list_pop_front(&numbers->places[i])) {
			uint32_t number = dx_list_entry(node, struct dx_export_number, link)->number;

			dx_list_push_back(&places[place_of(numbers, bits, number)], node);
		}
	}
	free(numbers->places);
	numbers->places = places;
	numbers->bits = bits;
}

void dx_export_numbers_add(struct dx_export_numbers *numbers, struct dx_export_number *entry,
			   uint32_t number)
{
	if (numbers->count >> numbers->bits != 0) {
		grow(numbers);
	}
	entry->number = number;
	dx_list_push_back(&numbers->places[place_of(numbers, numbers->bits, number)], &entry->link);
	numbers->count++;
}

void dx_export_numbers_remove(struct dx_export_numbers *numbers, struct dx_export_number *entry)
{
	if (!dx_list_is_empty(&entry->link)) {
		dx_list_remove(&entry->link);
		numbers->count--;
	}
}

struct dx_export_number *dx_export_numbers_find(const struct dx_export_numbers *numbers,
						uint32_t number)
{
	dx_list_for_each (node, &numbers->places[place_of(numbers, numbers->bits, number)]) {
		struct dx_export_number *entry = dx_list_entry(node, struct dx_export_number, link);

		if (entry->number == number) {
			return entry;
		}
	}
	return NULL;
}

size_t dx_export_numbers_longest(const struct dx_export_numbers *numbers)
{
	size_t longest = 0;

	for (size_t i = 0; i < (size_t)1 << numbers->bits; i++) {
		size_t length = 0;

		dx_list_for_each (node, &numbers->places[i]) {
			length++;
		}
		longest = length > longest ? length : longest;
	}
	return longest;
}
