/* SPDX-License-Identifier: MIT
 *
 * greeting - the first part of a conversation: the list of devices, and an import.
 *
 * Place:      export.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/private.h"

static uint8_t *put_listed(const struct dx_export_device *device, uint8_t *at)
{
	struct dx_usbip_device described;

	dx_export_device_describe(device, &described);
	dx_usbip_put_device(at, &described);
	at += DX_USBIP_DEVICE_BYTES;
	for (unsigned i = 0; i < described.nr_interfaces; i++) {
		dx_export_device_interface(device, i, at);
		at += DX_USBIP_INTERFACE_BYTES;
	}
	return at;
}

static bool is_opening(const struct dx_export *export)
{
	for (size_t i = 0; i < export->nr_devices; i++) {
		if (export->devices[i].job != NULL) {
			return true;
		}
	}
	return false;
}

bool dx_export_list_must_wait(struct dx_export_peer *peer)
{
	for (size_t i = 0; i < peer->export->nr_devices; i++) {
		(void)dx_export_device_look(&peer->export->devices[i], true);
	}
	return is_opening(peer->export);
}

bool dx_export_greeting_may_go_on(const struct dx_export_peer *peer)
{
	return peer->wanted != NULL ? peer->wanted->job == NULL : !is_opening(peer->export);
}

int dx_export_greet_list(struct dx_export_peer *peer)
{
	struct dx_export *export = peer->export;
	size_t room = DX_USBIP_HEADER_BYTES + 4 +
		      export->nr_devices * (DX_USBIP_DEVICE_BYTES + 255 * DX_USBIP_INTERFACE_BYTES);
	uint8_t *reply = malloc(room);
	uint8_t *at = reply;
	uint32_t count = 0;

	if (reply == NULL) {
		return -ENOMEM;
	}
	dx_usbip_put_header(reply, DX_USBIP_REP_DEVLIST, DX_USBIP_OK);
	at += DX_USBIP_HEADER_BYTES + 4;
	for (size_t i = 0; i < export->nr_devices; i++) {
		if (dx_export_device_look(&export->devices[i], false) == DX_EXPORT_FREE) {
			at = put_listed(&export->devices[i], at);
			count++;
		}
	}
	dx_usbip_put32(reply + DX_USBIP_HEADER_BYTES, count);
	peer->reply = reply;
	peer->reply_length = (size_t)(at - reply);
	return 0;
}

bool dx_export_import_must_wait(struct dx_export_peer *peer)
{
	char busid[DX_USBIP_BUSID_BYTES] = "";

	if (dx_usbip_get_busid(peer->bytes_in, busid) == 0) {
		peer->wanted = dx_export_find(peer->export, busid);
	}
	return peer->wanted != NULL &&
	       dx_export_device_look(peer->wanted, true) == DX_EXPORT_OPENING;
}

static enum dx_usbip_result try_import(struct dx_export_peer *peer)
{
	char busid[DX_USBIP_BUSID_BYTES] = "";
	struct dx_export_device *device = peer->wanted;
	enum dx_export_state state = DX_EXPORT_CLOSED;

	if (dx_usbip_get_busid(peer->bytes_in, busid) < 0) {
		return DX_USBIP_FAILED;
	}
	if (device == NULL) {
		dx_export_say(peer->export, "%s asks for %s, which does not exist", peer->name,
			      busid);
		return DX_USBIP_NO_DEVICE;
	}
	state = dx_export_device_look(device, false);
	if (state != DX_EXPORT_FREE) {
		dx_export_say(peer->export, "%s asks for %s, which is not free", peer->name, busid);
		return state == DX_EXPORT_CLOSED ? DX_USBIP_BROKEN : DX_USBIP_BUSY;
	}
	device->importer = peer;
	peer->device = device;
	dx_export_say(peer->export, "%s has imported %s", peer->name, busid);
	return DX_USBIP_OK;
}

int dx_export_greet_import(struct dx_export_peer *peer)
{
	uint8_t *reply = malloc(DX_USBIP_HEADER_BYTES + DX_USBIP_DEVICE_BYTES);
	enum dx_usbip_result result = DX_USBIP_FAILED;
	struct dx_usbip_device described;

	if (reply == NULL) {
		return -ENOMEM;
	}
	result = try_import(peer);
	dx_usbip_put_header(reply, DX_USBIP_REP_IMPORT, result);
	peer->reply = reply;
	peer->reply_length = DX_USBIP_HEADER_BYTES;
	if (result == DX_USBIP_OK) {
		dx_export_device_describe(peer->device, &described);
		dx_usbip_put_device(reply + DX_USBIP_HEADER_BYTES, &described);
		peer->reply_length += DX_USBIP_DEVICE_BYTES;
	}
	return 0;
}
