/* SPDX-License-Identifier: MIT
 *
 * recording - captures made by hand, as usbmon, Wireshark and nobody would write them.
 */
#include "test.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/recording.h"
#include "capture/usbmon.h"

/* A classic pcap file in memory. */
struct file {
	uint8_t bytes[65536];
	size_t size;
};

static void put(struct file *file, const void *bytes, size_t size)
{
	CHECK_LE(file->size + size, sizeof(file->bytes));
	if (size != 0) {
		memcpy(file->bytes + file->size, bytes, size);
	}
	file->size += size;
}

static struct file begin(uint32_t link_type)
{
	struct file file = {.size = 0};
	const uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, link_type};

	put(&file, header, sizeof(header));
	return file;
}

static void put_packet(struct file *file, const struct dx_usbmon_header *header, size_t header_size,
		       const void *data, uint32_t size)
{
	static uint32_t seconds = 1;
	const uint32_t packet[] = {seconds++, 5, (uint32_t)header_size + size,
				   (uint32_t)header_size + size};

	put(file, packet, sizeof(packet));
	put(file, header, header_size);
	put(file, data, size);
}

static struct dx_usbmon_header control(uint8_t event, uint64_t id, uint8_t type, uint8_t index,
				       uint16_t length)
{
	return (struct dx_usbmon_header){
		.id = id,
		.event = event,
		.type = DX_USBMON_CONTROL,
		.endpoint = 0x80,
		.device = 9,
		.bus = 2,
		.setup_flag = event == 'S' ? 0 : '-',
		.data_flag = event == 'S' ? '<' : 0,
		.status = event == 'S' ? -EINPROGRESS : 0,
		.length = length,
		.setup = {0x80, 6, index, type, 0, 0, (uint8_t)length, (uint8_t)(length >> 8)},
	};
}

static const uint8_t device_descriptor[18] = {18, 1, 0, 2, 255, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1,
					      0,  0, 0, 1};
static const uint8_t configuration[9] = {9, 2, 9, 0, 0, 1, 0, 0x80, 50};

static void put_descriptors(struct file *file, size_t header_size, uint8_t address)
{
	struct dx_usbmon_header header = control('S', 100, 1, 0, 18);

	header.device = address;
	put_packet(file, &header, header_size, NULL, 0);
	header = control('C', 100, 1, 0, 18);
	header.device = address;
	put_packet(file, &header, header_size, device_descriptor, 18);
	header = control('S', 101, 2, 0, 9);
	header.device = address;
	put_packet(file, &header, header_size, NULL, 0);
	header = control('C', 101, 2, 0, 9);
	header.device = address;
	put_packet(file, &header, header_size, configuration, 9);
}

static struct dx_usbmon_header bulk(uint8_t event, uint64_t id, uint8_t endpoint, uint32_t length)
{
	return (struct dx_usbmon_header){
		.id = id,
		.event = event,
		.type = DX_USBMON_BULK,
		.endpoint = endpoint,
		.device = 9,
		.bus = 2,
		.setup_flag = '-',
		.status = event == 'S' ? -EINPROGRESS : 0,
		.length = length,
	};
}

static int load(const struct file *file, const char *device, char *message, size_t size,
		struct dx_recording **ret_recording)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(write(fd, file->bytes, file->size), (ssize_t)file->size);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	return dx_recording_load(fd, "x.pcap", device, message, size, ret_recording);
}

static struct dx_recording *load_good(const struct file *file)
{
	struct dx_recording *recording = NULL;
	char message[512];

	CHECK_EQ(load(file, NULL, message, sizeof(message), &recording), 0);
	CHECK_STR_EQ(message, "");
	return recording;
}

static void check_refused(const struct file *file, const char *device, int result, const char *text)
{
	struct dx_recording *recording = NULL;
	char message[512];

	CHECK_EQ(load(file, device, message, sizeof(message), &recording), result);
	CHECK_STR_EQ(message, text);
	CHECK(recording == NULL);
}

TEST(recording_reads_both_forms_of_usbmon)
{
	static const struct {
		uint32_t link_type;
		size_t header_size;
	} forms[] = {{220, 64}, {189, 48}};

	for (unsigned i = 0; i < 2; i++) {
		struct file file = begin(forms[i].link_type);
		struct dx_usbmon_header header = bulk('S', 7, 0x02, 3);
		struct dx_recording *recording = NULL;

		put_descriptors(&file, forms[i].header_size, 9);
		put_packet(&file, &header, forms[i].header_size, "abc", 3);
		header = bulk('C', 7, 0x02, 3);
		header.data_flag = '>';
		put_packet(&file, &header, forms[i].header_size, NULL, 0);
		recording = load_good(&file);
		CHECK_EQ(recording->bus, 2);
		CHECK_EQ(recording->address, 9);
		CHECK_EQ(recording->nr_packets, 6);
		CHECK_EQ(recording->nr_transfers, 3);
		CHECK_MEM_EQ(recording->device, device_descriptor, 18);
		CHECK_EQ(recording->nr_configurations, 1);
		CHECK_EQ(recording->transfers[2].submitted_at, 5);
		CHECK_EQ(recording->transfers[2].completed_at, 6);
		CHECK_EQ(recording->transfers[2].completed_ns - recording->transfers[2].submitted_ns,
			 1000000000);
		CHECK_MEM_EQ(recording->transfers[2].data, "abc", 3);
		(void)dx_recording_free(recording);
	}
}

TEST(recording_reads_a_control_write_by_its_setup_packet)
{
	struct file file = begin(220);
	struct dx_usbmon_header header = control('S', 5, 0, 0, 2);
	struct dx_recording *recording = NULL;

	put_descriptors(&file, 64, 9);
	header.endpoint = 0;
	header.data_flag = 0;
	header.setup[0] = 0x40;
	put_packet(&file, &header, 64, "hi", 2);
	recording = load_good(&file);
	CHECK_EQ(recording->transfers[2].endpoint, 0);
	CHECK(!recording->transfers[2].is_in);
	CHECK_EQ(recording->transfers[2].completed_at, 0);
	CHECK_MEM_EQ(recording->transfers[2].data, "hi", 2);
	(void)dx_recording_free(recording);
}

TEST(recording_takes_completions_of_what_began_before_it)
{
	struct file file = begin(220);
	struct dx_usbmon_header header = bulk('C', 77, 0x81, 4);
	struct dx_recording *recording = NULL;

	put_packet(&file, &header, 64, "data", 4);
	put_descriptors(&file, 64, 9);
	recording = load_good(&file);
	CHECK_EQ(recording->nr_transfers, 3);
	CHECK_EQ(recording->transfers[0].submitted_at, 0);
	CHECK_EQ(recording->transfers[0].length, 4);
	CHECK_MEM_EQ(recording->transfers[0].data, "data", 4);
	(void)dx_recording_free(recording);
}

TEST(recording_tells_a_number_that_is_used_twice_apart)
{
	struct file file = begin(220);
	struct dx_usbmon_header header = bulk('S', 1, 0x81, 4);
	struct dx_recording *recording = NULL;

	put_descriptors(&file, 64, 9);
	put_packet(&file, &header, 64, NULL, 0);
	put_packet(&file, &header, 64, NULL, 0);
	header = bulk('C', 1, 0x81, 2);
	put_packet(&file, &header, 64, "ab", 2);
	header = bulk('E', 99, 0x81, 0); /* of nothing */
	put_packet(&file, &header, 64, NULL, 0);
	header = bulk('S', 2, 0x81, 4);
	put_packet(&file, &header, 64, NULL, 0);
	header = bulk('E', 2, 0x81, 0);
	header.status = -ENODEV;
	put_packet(&file, &header, 64, NULL, 0);
	recording = load_good(&file);
	CHECK_EQ(recording->nr_transfers, 5);
	CHECK_EQ(recording->transfers[2].completed_at, 0);
	CHECK_EQ(recording->transfers[3].actual, 2);
	CHECK(recording->transfers[4].was_refused);
	CHECK_EQ(recording->transfers[4].status, DX_USB_NOT_RESPONDING);
	(void)dx_recording_free(recording);
}

TEST(recording_does_not_believe_lengths)
{
	struct file file = begin(220);
	struct dx_usbmon_header header = bulk('S', 1, 0x02, 0xffffffff);
	struct dx_recording *recording = NULL;
	char message[512];

	put_descriptors(&file, 64, 9);
	put_packet(&file, &header, 64, "abc", 3); /* says 4 GiB */
	header = bulk('C', 1, 0x02, 0xffffffff);
	put_packet(&file, &header, 64, NULL, 0);
	header = bulk('S', 2, 0x81, 2);
	put_packet(&file, &header, 64, NULL, 0);
	header = bulk('C', 2, 0x81, 1000); /* more than was asked for */
	put_packet(&file, &header, 64, "0123456789", 10);
	header = bulk('S', 3, 0x82, 8);
	header.type = DX_USBMON_ISOCHRONOUS;
	header.nr_descriptors = 0x10000000;
	put_packet(&file, &header, 64, "0123456789abcdef", 16); /* counts, says nothing */
	put_packet(&file, &header, 10, NULL, 0);		/* shorter than a header */
	CHECK_EQ(load(&file, NULL, message, sizeof(message), &recording), 0);
	CHECK_EQ(recording->nr_packets, 10);
	CHECK_EQ(recording->nr_transfers, 4);
	CHECK_EQ(recording->transfers[2].nr_data, 3);
	CHECK_EQ(recording->transfers[3].actual, 2);
	CHECK_EQ(recording->transfers[3].nr_data, 2);
	CHECK_EQ(recording->nr_cut, 1);
	(void)dx_recording_free(recording);
}

TEST(recording_keeps_iso_packets_inside_of_their_transfer)
{
	struct file file = begin(220);
	struct dx_usbmon_header header = bulk('S', 3, 0x82, 8);
	struct dx_usbmon_iso iso[3] = {{-EXDEV, 0, 4, 0}, {-EXDEV, 4, 5, 0}, {-EXDEV, 4, 4, 0}};
	struct dx_recording *recording = NULL;
	const struct dx_usb_packet *packets = NULL;

	put_descriptors(&file, 64, 9);
	header.type = DX_USBMON_ISOCHRONOUS;
	header.nr_descriptors = 3;
	put_packet(&file, &header, 64, iso, sizeof(iso));
	iso[0].length = 100;
	iso[0].status = 0;
	iso[2].length = 2;
	iso[2].status = -EILSEQ;
	header.event = 'C';
	put_packet(&file, &header, 64, iso, sizeof(iso));
	recording = load_good(&file);
	packets = recording->transfers[2].packets;
	CHECK_EQ(recording->transfers[2].nr_packets, 3);
	CHECK_EQ(packets[0].length, 4);
	CHECK_EQ(packets[0].actual, 0);
	CHECK_EQ(packets[1].length, 0);
	CHECK_EQ(packets[2].length, 4);
	CHECK_EQ(packets[2].actual, 2);
	CHECK_EQ(packets[2].status, DX_USB_DEVICE_ERROR);
	(void)dx_recording_free(recording);
}

TEST(recording_refuses_what_is_no_capture)
{
	struct file file = {.size = 0};

	check_refused(&file, NULL, -EINVAL,
		      "x.pcap: not a capture: truncated dump file; tried to read 4 "
		      "file header bytes, only got 0");
	put(&file, "hello, I am a text", 18);
	check_refused(&file, NULL, -EINVAL, "x.pcap: not a capture: unknown file format");
}

TEST(recording_refuses_captures_of_other_things)
{
	struct file file = begin(1);

	check_refused(&file, NULL, -EINVAL,
		      "x.pcap: a capture of link type 1 (Ethernet), not of a USB "
		      "bus by Linux (220 or 189): "
		      "capture from a usbmonN interface");
}

TEST(recording_says_when_descriptors_are_missing)
{
	struct file file = begin(220);
	struct dx_usbmon_header header = bulk('S', 1, 0x81, 4);
	struct dx_usbmon_header partial = control('S', 5, 1, 0, 18);

	put_packet(&file, &header, 64, NULL, 0);
	check_refused(&file, NULL, -ENODEV,
		      "x.pcap: holds the descriptors of no device: start the "
		      "capture, then plug the device in");
	put_packet(&file, &partial, 64, NULL, 0);
	partial = control('C', 5, 1, 0, 18);
	put_packet(&file, &partial, 64, device_descriptor, 18);
	check_refused(&file, NULL, -ENODEV,
		      "x.pcap: lacks the configuration descriptor of device 2.9: "
		      "start the capture, then plug the "
		      "device in");
	check_refused(&file, "2.10", -ENODEV,
		      "x.pcap: lacks the device descriptor of device 2.10: start "
		      "the capture, then plug the "
		      "device in");
}

TEST(recording_asks_which_device_when_there_are_several)
{
	struct file file = begin(220);
	struct dx_recording *recording = NULL;
	char message[512];

	put_descriptors(&file, 64, 9);
	put_descriptors(&file, 64, 10);
	check_refused(&file, NULL, -ENODEV,
		      "x.pcap: holds several devices, say which by "
		      "device=BUS.ADDRESS: 2.9 (1234:5678), "
		      "2.10 (1234:5678)");
	check_refused(&file, "2", -EINVAL, "device=2: not of the form BUS.ADDRESS");
	check_refused(&file, "2.128", -EINVAL, "device=2.128: not of the form BUS.ADDRESS");
	check_refused(&file, "2.9x", -EINVAL, "device=2.9x: not of the form BUS.ADDRESS");
	CHECK_EQ(load(&file, "2.10", message, sizeof(message), &recording), 0);
	CHECK_EQ(recording->address, 10);
	CHECK_EQ(recording->nr_transfers, 2);
	(void)dx_recording_free(recording);
}

TEST(recording_uses_what_is_before_a_cut)
{
	struct file whole = begin(220);
	struct dx_usbmon_header header = bulk('S', 7, 0x02, 3);

	put_descriptors(&whole, 64, 9);
	size_t before = whole.size;
	put_packet(&whole, &header, 64, "abc", 3);
	for (size_t size = before + 1; size < whole.size; size++) {
		struct dx_recording *recording = NULL;
		char message[512];
		struct file file = whole;

		file.size = size;
		CHECK_EQ(load(&file, NULL, message, sizeof(message), &recording), 0);
		CHECK_EQ(recording->nr_transfers, 2);
		CHECK(strstr(message, "x.pcap: broken behind packet 4 (truncated") == message);
		(void)dx_recording_free(recording);
	}
}
