/* SPDX-License-Identifier: MIT
 *
 * control - standard requests, answered as a device does; the rest goes to the model.
 *
 * Place:      backend/virtual, under virtual.c.
 * Trust:      the setup packet is private memory, but its fields are the driver's: each is checked.
 */
#include <errno.h>
#include <string.h>

#include "backend/virtual/runtime.h"

#define DIRECTION_IN	   0x80u
#define TYPE_MASK	   0x60u
#define RECIPIENT_MASK	   0x1Fu
#define RECIPIENT_DEVICE   0u
#define RECIPIENT_ENDPOINT 2u

enum {
	GET_STATUS = 0,
	CLEAR_FEATURE = 1,
	SET_FEATURE = 3,
	GET_DESCRIPTOR = 6,
	GET_CONFIGURATION = 8,
	SET_CONFIGURATION = 9,
	GET_INTERFACE = 10,
	SET_INTERFACE = 11,
	SYNCH_FRAME = 12,
	SET_SEL = 48,
	SET_ISOCH_DELAY = 49,
};

enum {
	FEATURE_ENDPOINT_HALT = 0,
	FEATURE_REMOTE_WAKEUP = 1,
	FEATURE_U1_ENABLE = 48,
	FEATURE_U2_ENABLE = 49,
	FEATURE_LTM_ENABLE = 50,
};

int dx_model_answer(const struct dx_model_setup *setup, uint8_t *data, const void *bytes,
		    size_t length)
{
	size_t moved = length < setup->length ? length : setup->length;

	if (moved != 0) {
		memcpy(data, bytes, moved);
	}
	return (int)moved;
}

static int answer16(const struct dx_model_setup *setup, uint8_t *data, unsigned value)
{
	const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

	return dx_model_answer(setup, data, bytes, sizeof(bytes));
}

/* The device's other speeds do not exist, so there is no qualifier at full speed and super speed; at
 * high speed it says that there are no configurations for another one. */
static int answer_qualifier(struct dx_virtual *device, const struct dx_model_setup *setup,
			    uint8_t *data)
{
	const uint8_t *own = device->image.device;
	const uint8_t bytes[10] = {10, 6, own[2], own[3], own[4], own[5], own[6], own[7], 0, 0};

	return device->info.speed == DX_USB_SPEED_HIGH
		       ? dx_model_answer(setup, data, bytes, sizeof(bytes))
		       : -EPIPE;
}

static int get_descriptor(struct dx_virtual *device, const struct dx_model_setup *setup,
			  uint8_t *data)
{
	uint8_t index = (uint8_t)setup->value;
	uint8_t bytes[256];
	int length = 0;

	switch (setup->value >> 8) {
	case 1:
		return dx_model_answer(setup, data, device->image.device,
				       sizeof(device->image.device));
	case 2:
		return index < device->image.nr_configurations
			       ? dx_model_answer(setup, data, device->image.configurations[index],
						 device->image.configuration_lengths[index])
			       : -EPIPE;
	case 3:
		length = dx_description_string(device->model->description, index, bytes);
		return length < 0 ? -EPIPE : dx_model_answer(setup, data, bytes, (size_t)length);
	case 6:
		return answer_qualifier(device, setup, data);
	case 15:
		return device->image.bos_length != 0
			       ? dx_model_answer(setup, data, device->image.bos,
						 device->image.bos_length)
			       : -EPIPE;
	default:
		return -EPIPE;
	}
}

static int set_configuration(struct dx_virtual *device, uint16_t value)
{
	const struct dx_described_configuration *configuration = NULL;
	uint8_t before = device->configuration;

	device->configuration = (uint8_t)value;
	configuration = dx_virtual_configuration(device);
	if (configuration == NULL && value != 0) {
		device->configuration = before;
		return -EPIPE;
	}
	dx_virtual_unbind_all(device);
	memset(device->alternates, 0, sizeof(device->alternates));
	device->claimed = 0;
	for (unsigned i = 0; configuration != NULL && i < configuration->nr_interfaces; i++) {
		if (dx_virtual_bind(device, &configuration->interfaces[i], 0) < 0) {
			dx_virtual_unbind_all(device);
			device->configuration = 0;
			return -EPIPE;
		}
	}
	return 0;
}

/* Its place in the configuration in force, or -1. */
static int find_interface(const struct dx_virtual *device, uint16_t number)
{
	const struct dx_described_configuration *configuration = dx_virtual_configuration(device);

	for (unsigned i = 0; configuration != NULL && i < configuration->nr_interfaces; i++) {
		if (configuration->interfaces[i].number == number) {
			return (int)i;
		}
	}
	return -1;
}

static int set_interface(struct dx_virtual *device, uint16_t number, uint16_t setting)
{
	const struct dx_described_interface *interface = NULL;
	int place = find_interface(device, number);

	if (place < 0) {
		return -EPIPE;
	}
	interface = &dx_virtual_configuration(device)->interfaces[place];
	if (setting >= interface->nr_settings) {
		return -EPIPE;
	}
	dx_virtual_unbind(device, interface->number);
	if (dx_virtual_bind(device, interface, setting) < 0) {
		dx_virtual_unbind(device, interface->number);
		return -EPIPE;
	}
	device->alternates[place] = (uint8_t)setting;
	return 0;
}

static int get_interface(struct dx_virtual *device, const struct dx_model_setup *setup,
			 uint8_t *data)
{
	int place = find_interface(device, setup->index);

	return place < 0 ? -EPIPE : dx_model_answer(setup, data, &device->alternates[place], 1);
}

static int get_status(struct dx_virtual *device, const struct dx_model_setup *setup,
		      uint8_t *data)
{
	const struct dx_described_configuration *configuration = dx_virtual_configuration(device);
	struct dx_virtual_endpoint *endpoint = NULL;

	switch (setup->request_type & RECIPIENT_MASK) {
	case RECIPIENT_DEVICE:
		return answer16(setup, data,
				(configuration != NULL && configuration->self_powered ? 1u : 0u) |
					(device->remote_wakeup ? 2u : 0u));
	case RECIPIENT_ENDPOINT:
		endpoint = dx_virtual_endpoint(device, (uint8_t)setup->index);
		if ((setup->index & 0x7F) == 0) {
			return answer16(setup, data, 0);
		}
		return endpoint == NULL ? -EPIPE : answer16(setup, data, endpoint->halted);
	default:
		return find_interface(device, setup->index) < 0 ? -EPIPE
								: answer16(setup, data, 0);
	}
}

static int endpoint_feature(struct dx_virtual *device, const struct dx_model_setup *setup, bool set)
{
	struct dx_virtual_endpoint *endpoint =
		dx_virtual_endpoint(device, (uint8_t)setup->index);

	if (setup->value != FEATURE_ENDPOINT_HALT) {
		return -EPIPE;
	}
	if ((setup->index & 0x7F) == 0) { /* endpoint 0 cannot stay halted */
		return 0;
	}
	if (endpoint == NULL || endpoint->type == DX_USB_ISOCHRONOUS) {
		return -EPIPE;
	}
	if (set) {
		dx_virtual_halt(endpoint);
	} else {
		endpoint->halted = false;
		endpoint->nr_since_clear = 0;
		dx_virtual_kick(endpoint);
		if (device->model->ops->cleared != NULL) {
			device->model->ops->cleared(device->model, endpoint);
		}
	}
	return 0;
}

static int feature(struct dx_virtual *device, const struct dx_model_setup *setup, bool set)
{
	if ((setup->request_type & RECIPIENT_MASK) == RECIPIENT_ENDPOINT) {
		return endpoint_feature(device, setup, set);
	}
	if ((setup->request_type & RECIPIENT_MASK) != RECIPIENT_DEVICE) {
		return find_interface(device, setup->index & 0xFF) < 0 ? -EPIPE : 0;
	}
	switch (setup->value) {
	case FEATURE_REMOTE_WAKEUP:
		device->remote_wakeup = set;
		return 0;
	case FEATURE_U1_ENABLE:
	case FEATURE_U2_ENABLE:
	case FEATURE_LTM_ENABLE:
		return dx_description_is_super(device->info.speed) ? 0 : -EPIPE;
	default:
		return -EPIPE;
	}
}

/* -ENOSYS: not a standard request that the runtime knows. */
static int standard_in(struct dx_virtual *device, const struct dx_model_setup *setup,
		       uint8_t *data)
{
	switch (setup->request) {
	case GET_STATUS:
		return get_status(device, setup, data);
	case GET_DESCRIPTOR:
		return (setup->request_type & RECIPIENT_MASK) == RECIPIENT_DEVICE
			       ? get_descriptor(device, setup, data)
			       : -ENOSYS;
	case GET_CONFIGURATION:
		return dx_model_answer(setup, data, &device->configuration, 1);
	case GET_INTERFACE:
		return get_interface(device, setup, data);
	case SYNCH_FRAME:
		return answer16(setup, data, 0);
	default:
		return -ENOSYS;
	}
}

static int standard_out(struct dx_virtual *device, const struct dx_model_setup *setup)
{
	switch (setup->request) {
	case CLEAR_FEATURE:
		return feature(device, setup, false);
	case SET_FEATURE:
		return feature(device, setup, true);
	case SET_CONFIGURATION:
		return set_configuration(device, setup->value);
	case SET_INTERFACE:
		return set_interface(device, setup->index, setup->value);
	case SET_SEL:
	case SET_ISOCH_DELAY:
		return dx_description_is_super(device->info.speed) ? setup->length : -EPIPE;
	default:
		return -ENOSYS;
	}
}

int dx_virtual_control(struct dx_virtual *device, const struct dx_model_setup *setup,
		       uint8_t *data)
{
	int moved = -ENOSYS;

	if ((setup->request_type & TYPE_MASK) == 0) {
		moved = (setup->request_type & DIRECTION_IN) != 0
				? standard_in(device, setup, data)
				: standard_out(device, setup);
	}
	if (moved == -ENOSYS) {
		moved = device->model->ops->control(device->model, setup, data);
	}
	return moved > setup->length ? setup->length : moved;
}
