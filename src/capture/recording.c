/* SPDX-License-Identifier: MIT
 *
 * recording - events of a capture paired to transfers, the device chosen; see recording.h.
 *
 * Place:      capture, on libpcap.
 * Cost:       each event costs one look-up in a tree of the transfers that are under way.
 */
#include "capture/recording.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "capture/usbmon.h"

#define MAX_ISO		   1024u
#define MAX_CONFIGURATIONS 16u
#define GET_DESCRIPTOR	   6u
#define MAX_DEVICES	   16u /* that a message lists */

enum { DESCRIPTOR_DEVICE = 1, DESCRIPTOR_CONFIGURATION = 2, DESCRIPTOR_BOS = 15 };

/* A transfer while the file is read; first member: what becomes part of the recording. */
struct loaded {
	struct dx_recorded_transfer transfer;
	uint64_t id;
	uint16_t bus;
	uint8_t device;
	struct dx_list link; /* loader->all */
};

struct loader {
	const char *name;
	pcap_t *pcap;
	bool is_short; /* DLT_USB_LINUX: no iso descriptors */
	void *under_way; /* tree of struct loaded by bus, device, id */
	struct dx_list all;
	size_t nr_all;
	size_t nr_bytes;
	uint32_t nr_packets;
	char *message;
	size_t message_size;
};

static void keep_in_tree(void *node)
{
	(void)node;
}

static void loaded_free(struct loaded *loaded)
{
	free((void *)(uintptr_t)loaded->transfer.data);
	free(loaded->transfer.packets);
	free(loaded);
}

static void loader_fini(struct loader *loader)
{
	tdestroy(loader->under_way, keep_in_tree);
	while (!dx_list_is_empty(&loader->all)) {
		loaded_free(dx_list_entry(dx_list_pop_front(&loader->all), struct loaded, link));
	}
	if (loader->pcap != NULL) {
		pcap_close(loader->pcap);
	}
}

static int compare(const void *a_pointer, const void *b_pointer)
{
	const struct loaded *a = a_pointer;
	const struct loaded *b = b_pointer;

	if (a->id != b->id) {
		return a->id < b->id ? -1 : 1;
	}
	return a->bus != b->bus ? a->bus - b->bus : a->device - b->device;
}

/* ---- one event ---- */

static struct loaded *find(struct loader *loader, const struct dx_usbmon_header *header)
{
	const struct loaded key = {.id = header->id, .bus = header->bus, .device = header->device};
	struct loaded *const *found = tfind(&key, &loader->under_way, compare);

	return found == NULL ? NULL : *found;
}

static struct loaded *add(struct loader *loader, const struct dx_usbmon_header *header)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));

	if (loaded == NULL) {
		return NULL;
	}
	loaded->id = header->id;
	loaded->bus = header->bus;
	loaded->device = header->device;
	loaded->transfer.type = dx_usbmon_to_transfer_type(header->type);
	loaded->transfer.is_in = header->endpoint & 0x80;
	loaded->transfer.endpoint =
		loaded->transfer.type == DX_USB_CONTROL ? 0 : header->endpoint & 0x8f;
	dx_list_push_back(&loader->all, &loaded->link);
	loader->nr_all++;
	return loaded;
}

/* Copies what there is of the data, at most `limit` bytes. */
static int take_data(struct loader *loader, struct loaded *loaded, const uint8_t *bytes, size_t size,
		     uint32_t limit)
{
	uint8_t *copy = NULL;
	uint32_t length = size < limit ? (uint32_t)size : limit;

	if (length == 0) {
		return 0;
	}
	if (loader->nr_bytes + length > DX_RECORDING_MAX) {
		(void)snprintf(loader->message, loader->message_size,
			       "%s: more than %zu bytes of data", loader->name, DX_RECORDING_MAX);
		return -EFBIG;
	}
	copy = malloc(length);
	if (copy == NULL) {
		return -ENOMEM;
	}
	memcpy(copy, bytes, length);
	free((void *)(uintptr_t)loaded->transfer.data);
	loaded->transfer.data = copy;
	loaded->transfer.nr_data = length;
	loader->nr_bytes += length;
	return 0;
}

/* R1: packets that point outside of the transfer become empty ones. */
static int take_iso(struct loaded *loaded, const uint8_t *bytes, uint32_t nr, bool is_completion)
{
	struct dx_recorded_transfer *transfer = &loaded->transfer;
	uint64_t offset = 0;

	if (nr == 0) {
		return 0;
	}
	if (!is_completion) {
		transfer->packets = calloc(nr, sizeof(*transfer->packets));
		if (transfer->packets == NULL) {
			return -ENOMEM;
		}
		transfer->nr_packets = nr;
	}
	for (uint32_t i = 0; i < nr && i < transfer->nr_packets; i++) {
		struct dx_usb_packet *packet = &transfer->packets[i];
		struct dx_usbmon_iso iso;

		memcpy(&iso, bytes + i * sizeof(iso), sizeof(iso));
		if (!is_completion) {
			packet->length =
				offset + iso.length <= transfer->length ? iso.length : 0;
			offset += packet->length;
			continue;
		}
		packet->actual = iso.length <= packet->length ? iso.length : 0;
		packet->status = dx_usbmon_to_usb_status(iso.status);
	}
	return 0;
}

static int submission(struct loader *loader, const struct dx_usbmon_header *header,
		      const uint8_t *rest, size_t size, uint64_t ns)
{
	struct loaded *loaded = find(loader, header);
	struct loaded **node = NULL;
	size_t iso_size = header->nr_descriptors * sizeof(struct dx_usbmon_iso);
	int result = 0;

	if (loaded != NULL) { /* its completion was lost; the number is in use again */
		(void)tdelete(loaded, &loader->under_way, compare);
	}
	loaded = add(loader, header);
	node = loaded == NULL ? NULL : tsearch(loaded, &loader->under_way, compare);
	if (node == NULL) {
		return -ENOMEM;
	}
	loaded->transfer.submitted_at = loader->nr_packets;
	loaded->transfer.submitted_ns = ns;
	loaded->transfer.length = header->length;
	loaded->transfer.status = DX_USB_INVALID;
	if (loaded->transfer.type == DX_USB_CONTROL && header->setup_flag == 0) {
		memcpy(loaded->transfer.setup, header->setup, sizeof(header->setup));
		loaded->transfer.is_in = header->setup[0] & 0x80;
	}
	result = take_iso(loaded, rest, header->nr_descriptors, false);
	if (result == 0 && header->data_flag == 0 && !loaded->transfer.is_in) {
		result = take_data(loader, loaded, rest + iso_size, size - iso_size,
				   header->length);
	}
	return result;
}

static int completion(struct loader *loader, const struct dx_usbmon_header *header,
		      const uint8_t *rest, size_t size, uint64_t ns)
{
	struct loaded *loaded = find(loader, header);
	struct dx_recorded_transfer *transfer = NULL;
	size_t iso_size = header->nr_descriptors * sizeof(struct dx_usbmon_iso);
	uint32_t data_limit = header->length;
	int result = 0;

	if (loaded != NULL) {
		(void)tdelete(loaded, &loader->under_way, compare);
	} else if (header->event == DX_USBMON_COMPLETE) { /* submitted before the capture began */
		loaded = add(loader, header);
		if (loaded == NULL) {
			return -ENOMEM;
		}
		loaded->transfer.length = header->length;
	} else {
		return 0;
	}
	transfer = &loaded->transfer;
	transfer->completed_at = loader->nr_packets;
	transfer->completed_ns = ns;
	transfer->was_refused = header->event == DX_USBMON_ERROR;
	transfer->status = dx_usbmon_to_usb_status(header->status);
	transfer->actual = header->length < transfer->length ? header->length : transfer->length;
	result = take_iso(loaded, rest, header->nr_descriptors, true);
	if (transfer->type == DX_USB_ISOCHRONOUS) {
		data_limit = transfer->length;
	}
	if (result == 0 && header->data_flag == 0 && transfer->is_in) {
		result = take_data(loader, loaded, rest + iso_size, size - iso_size,
				   data_limit < transfer->length ? data_limit : transfer->length);
	}
	return result;
}

/* Packets too short for their header, or with numbers that cannot be, count but say nothing. */
static int event(struct loader *loader, const struct pcap_pkthdr *packet, const uint8_t *bytes)
{
	size_t header_size = loader->is_short ? DX_USBMON_SHORT_SIZE : sizeof(struct dx_usbmon_header);
	struct dx_usbmon_header header = {0};
	uint64_t ns = (uint64_t)packet->ts.tv_sec * 1000000000u + (uint64_t)packet->ts.tv_usec;
	size_t size = packet->caplen;

	if (size < header_size) {
		return 0;
	}
	memcpy(&header, bytes, header_size);
	size -= header_size;
	if (header.nr_descriptors > MAX_ISO ||
	    header.nr_descriptors > size / sizeof(struct dx_usbmon_iso)) {
		return 0;
	}
	switch (header.event) {
	case DX_USBMON_SUBMIT:
		return submission(loader, &header, bytes + header_size, size, ns);
	case DX_USBMON_COMPLETE:
	case DX_USBMON_ERROR:
		return completion(loader, &header, bytes + header_size, size, ns);
	default:
		return 0;
	}
}

/* ---- the file ---- */

static int open_pcap(struct loader *loader, int fd)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	FILE *file = fdopen(fd, "rb");
	int link_type = 0;

	if (file == NULL) {
		int result = -errno;

		(void)close(fd);
		return result;
	}
	loader->pcap =
		pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (loader->pcap == NULL) {
		(void)fclose(file);
		(void)snprintf(loader->message, loader->message_size, "%s: not a capture: %s",
			       loader->name, error);
		return -EINVAL;
	}
	link_type = pcap_datalink(loader->pcap);
	loader->is_short = link_type == (int)DX_USBMON_LINKTYPE_SHORT;
	if (link_type != (int)DX_USBMON_LINKTYPE && !loader->is_short) {
		const char *text = pcap_datalink_val_to_description(link_type);

		(void)snprintf(loader->message, loader->message_size,
			       "%s: a capture of link type %d (%s), not of a USB bus by Linux "
			       "(220 or 189): capture from a usbmonN interface",
			       loader->name, link_type, text == NULL ? "unknown" : text);
		return -EINVAL;
	}
	return 0;
}

static int read_events(struct loader *loader)
{
	struct pcap_pkthdr *packet = NULL;
	const uint8_t *bytes = NULL;
	int more = 0;

	while ((more = pcap_next_ex(loader->pcap, &packet, &bytes)) == 1) {
		int result = 0;

		loader->nr_packets++;
		result = event(loader, packet, bytes);
		if (result < 0) {
			return result;
		}
	}
	if (more != PCAP_ERROR_BREAK && loader->nr_packets == 0) {
		(void)snprintf(loader->message, loader->message_size, "%s: %s", loader->name,
			       pcap_geterr(loader->pcap));
		return -EINVAL;
	}
	if (more != PCAP_ERROR_BREAK) {
		(void)snprintf(loader->message, loader->message_size,
			       "%s: broken behind packet %u (%s); what is before is used",
			       loader->name, loader->nr_packets, pcap_geterr(loader->pcap));
	}
	return 0;
}

/* ---- the device ---- */

static bool reads_descriptor(const struct dx_recorded_transfer *transfer, uint8_t type)
{
	return transfer->type == DX_USB_CONTROL && transfer->setup[0] == 0x80 &&
	       transfer->setup[1] == GET_DESCRIPTOR && transfer->setup[3] == type &&
	       transfer->completed_at != 0 && transfer->status == DX_USB_OK &&
	       transfer->data != NULL;
}

static bool has_identity(const struct loaded *loaded)
{
	return loaded->device != 0 && reads_descriptor(&loaded->transfer, DESCRIPTOR_DEVICE) &&
	       loaded->transfer.nr_data >= 18;
}

/* Every device once, into text: "1.5 (0525:a4a0)". @return how many there are. */
static unsigned list_devices(const struct loader *loader, char *text, size_t size, uint16_t *ret_bus,
			     uint8_t *ret_address)
{
	struct {
		uint16_t bus;
		uint8_t address;
	} seen[MAX_DEVICES];
	unsigned nr_seen = 0;
	size_t used = 0;

	text[0] = '\0';
	dx_list_for_each (node, &loader->all) {
		const struct loaded *loaded = dx_list_entry(node, struct loaded, link);
		const uint8_t *bytes = loaded->transfer.data;
		unsigned i = 0;

		if (!has_identity(loaded)) {
			continue;
		}
		while (i < nr_seen &&
		       (seen[i].bus != loaded->bus || seen[i].address != loaded->device)) {
			i++;
		}
		if (i < nr_seen || nr_seen == MAX_DEVICES) {
			continue;
		}
		seen[nr_seen].bus = loaded->bus;
		seen[nr_seen++].address = loaded->device;
		*ret_bus = loaded->bus;
		*ret_address = loaded->device;
		if (used < size) {
			used += (size_t)snprintf(text + used, size - used, "%s%u.%u (%02x%02x:%02x%02x)",
						 nr_seen == 1 ? "" : ", ", loaded->bus,
						 loaded->device, bytes[9], bytes[8], bytes[11],
						 bytes[10]);
		}
	}
	return nr_seen;
}

static int parse_device(struct loader *loader, const char *text, struct dx_recording *recording)
{
	unsigned bus = 0;
	unsigned address = 0;
	char behind = '\0';

	if (sscanf(text, "%5u.%3u%c", &bus, &address, &behind) != 2 || bus > UINT16_MAX ||
	    address > 127) {
		(void)snprintf(loader->message, loader->message_size,
			       "device=%s: not of the form BUS.ADDRESS", text);
		return -EINVAL;
	}
	recording->bus = (uint16_t)bus;
	recording->address = (uint8_t)address;
	return 0;
}

static int choose_device(struct loader *loader, const char *wanted, struct dx_recording *recording)
{
	char list[384];
	unsigned nr = list_devices(loader, list, sizeof(list), &recording->bus, &recording->address);

	if (wanted != NULL) {
		return parse_device(loader, wanted, recording);
	}
	if (nr == 1) {
		return 0;
	}
	(void)snprintf(loader->message, loader->message_size,
		       nr == 0 ? "%s: holds the descriptors of no device: start the capture, then "
				 "plug the device in%s"
			       : "%s: holds several devices, say which by device=BUS.ADDRESS: %s",
		       loader->name, list);
	return -ENODEV;
}

/* ---- its recording ---- */

/* A configuration is complete when all of wTotalLength is there. */
static void take_descriptors(struct dx_recording *recording)
{
	const struct dx_recorded_transfer *found[MAX_CONFIGURATIONS] = {NULL};

	for (size_t i = 0; i < recording->nr_transfers; i++) {
		const struct dx_recorded_transfer *transfer = &recording->transfers[i];
		const uint8_t *bytes = transfer->data;
		uint8_t index = transfer->setup[2];

		if (reads_descriptor(transfer, DESCRIPTOR_DEVICE) && transfer->nr_data >= 18) {
			memcpy(recording->device, bytes, sizeof(recording->device));
		} else if (reads_descriptor(transfer, DESCRIPTOR_CONFIGURATION) &&
			   index < MAX_CONFIGURATIONS && transfer->nr_data >= 9 &&
			   transfer->nr_data >= (uint32_t)(bytes[2] | bytes[3] << 8)) {
			found[index] = transfer;
		} else if (reads_descriptor(transfer, DESCRIPTOR_BOS) && transfer->nr_data >= 5 &&
			   transfer->nr_data >= (uint32_t)(bytes[2] | bytes[3] << 8)) {
			recording->bos = bytes;
			recording->bos_length = (size_t)(bytes[2] | bytes[3] << 8);
		}
	}
	while (recording->nr_configurations < MAX_CONFIGURATIONS &&
	       found[recording->nr_configurations] != NULL) {
		const uint8_t *bytes = found[recording->nr_configurations]->data;

		recording->configurations[recording->nr_configurations] = bytes;
		recording->configuration_lengths[recording->nr_configurations] =
			(size_t)(bytes[2] | bytes[3] << 8);
		recording->nr_configurations++;
	}
}

static bool is_cut(const struct dx_recorded_transfer *transfer)
{
	uint32_t moved = transfer->is_in ? transfer->actual : transfer->length;

	return transfer->type != DX_USB_ISOCHRONOUS && transfer->completed_at != 0 &&
	       transfer->submitted_at != 0 && transfer->nr_data < moved;
}

/* Moves the transfers of the device into the recording; the others stay with the loader. */
static int take_transfers(struct loader *loader, struct dx_recording *recording)
{
	recording->transfers = calloc(loader->nr_all + 1, sizeof(*recording->transfers));
	if (recording->transfers == NULL) {
		return -ENOMEM;
	}
	dx_list_for_each (node, &loader->all) {
		struct loaded *loaded = dx_list_entry(node, struct loaded, link);

		if (loaded->bus == recording->bus && loaded->device == recording->address) {
			recording->transfers[recording->nr_transfers++] = loaded->transfer;
			recording->nr_cut += is_cut(&loaded->transfer);
			loaded->transfer.data = NULL;
			loaded->transfer.packets = NULL;
		}
	}
	return 0;
}

static int check_descriptors(const struct loader *loader, const struct dx_recording *recording)
{
	const char *missing = recording->device[0] == 0	     ? "device"
			      : recording->nr_configurations == 0 ? "configuration"
								  : NULL;

	if (missing == NULL) {
		return 0;
	}
	(void)snprintf(loader->message, loader->message_size,
		       "%s: lacks the %s descriptor of device %u.%u: start the capture, then plug the "
		       "device in",
		       loader->name, missing, recording->bus, recording->address);
	return -ENODEV;
}

static void recording_cleanup(struct dx_recording **recording)
{
	(void)dx_recording_free(*recording);
}

int dx_recording_load(int fd, const char *name, const char *device, char *message,
		      size_t message_size, struct dx_recording **ret_recording)
{
	DX_CLEANUP(loader_fini) struct loader loader = {
		.name = name,
		.all = DX_LIST_INIT(loader.all),
		.message = message,
		.message_size = message_size,
	};
	DX_CLEANUP(recording_cleanup) struct dx_recording *recording = NULL;
	int result = 0;

	(void)snprintf(message, message_size, "%s", "");
	result = open_pcap(&loader, fd);
	if (result == 0) {
		result = read_events(&loader);
	}
	recording = result < 0 ? NULL : calloc(1, sizeof(*recording));
	if (recording == NULL) {
		return result < 0 ? result : -ENOMEM;
	}
	recording->nr_packets = loader.nr_packets;
	result = choose_device(&loader, device, recording);
	if (result == 0) {
		result = take_transfers(&loader, recording);
	}
	if (result < 0) {
		return result;
	}
	take_descriptors(recording);
	result = check_descriptors(&loader, recording);
	if (result < 0) {
		return result;
	}
	*ret_recording = dx_take_ptr(&recording);
	return 0;
}

struct dx_recording *dx_recording_free(struct dx_recording *recording)
{
	if (recording == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < recording->nr_transfers; i++) {
		free((void *)(uintptr_t)recording->transfers[i].data);
		free(recording->transfers[i].packets);
	}
	free(recording->transfers);
	free(recording);
	return NULL;
}
