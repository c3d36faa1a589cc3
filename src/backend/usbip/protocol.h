/* SPDX-License-Identifier: MIT
 *
 * protocol - the bytes of USB/IP 1.1.1, for both ends.
 *
 * Place:      backend/usbip, and the room `export`. No system calls, no state.
 *
 * All numbers are big endian. A conversation has two parts. First one request and its reply:
 *
 *   header   version u16 = 0x0111, code u16, status u32                                 8 bytes
 *   REQ_DEVLIST  header                   REP_DEVLIST  header, count u32, count x (device,
 *                                                      nr_interfaces x 4 bytes)
 *   REQ_IMPORT   header, bus id [32]      REP_IMPORT   header, and device if status is 0
 *   device   path [256], bus id [32], busnum, devnum, speed u32; vendor, product, release u16;
 *            class, subclass, protocol, configuration, nr_configurations, nr_interfaces u8    312
 *   interface    class, subclass, protocol, 0                                           4 bytes
 *
 * Then, after an import, units of 48 bytes in both directions:
 *
 *   0  command u32       1 submit, 2 unlink, 3 answer to submit, 4 answer to unlink
 *   4  number u32        of the request; answers repeat it
 *   8  device u32        busnum << 16 | devnum
 *  12  direction u32     0 OUT, 1 IN
 *  16  endpoint u32      without direction
 *  20  submit            flags u32, length, start frame, nr_packets, interval s32, SETUP packet [8]
 *      answer to submit  status, actual length, start frame, nr_packets, nr_errors s32
 *      unlink            number of the request that is meant
 *      answer to unlink  status s32
 *
 * Behind a submit follow its OUT data, behind its answer the IN data (actual length of it); behind
 * both, if isochronous, nr_packets descriptors of 16 bytes: offset, length, actual length, status.
 * The IN data of packets is sent without the gaps between them. Status is a negative Linux errno.
 *
 * Invariants:
 *   P1  A decoder reads exactly the size that its name has, and refuses what no peer may send. What
 *       depends on a request (is the number known? is the length possible?) its caller checks.
 * Threads:    any.
 */
#ifndef DX_BACKEND_USBIP_PROTOCOL_H
#define DX_BACKEND_USBIP_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DX_USBIP_PORT            3240u
#define DX_USBIP_VERSION         0x0111u
#define DX_USBIP_HEADER_BYTES    8u
#define DX_USBIP_BUSID_BYTES     32u
#define DX_USBIP_PATH_BYTES      256u
#define DX_USBIP_DEVICE_BYTES    312u
#define DX_USBIP_INTERFACE_BYTES 4u
#define DX_USBIP_UNIT_BYTES      48u
#define DX_USBIP_PACKET_BYTES    16u
#define DX_USBIP_MAX_PACKETS     1024u /* of one request; Linux refuses more */
#define DX_USBIP_MAX_LISTED      1024u /* devices in one list */

enum dx_usbip_code {
	DX_USBIP_REQ_DEVLIST = 0x8005,
	DX_USBIP_REP_DEVLIST = 0x0005,
	DX_USBIP_REQ_IMPORT = 0x8003,
	DX_USBIP_REP_IMPORT = 0x0003,
};

enum dx_usbip_result { /* of a reply's header */
		       DX_USBIP_OK = 0,
		       DX_USBIP_NOT_AVAILABLE = 1,
		       DX_USBIP_BUSY = 2,
		       DX_USBIP_BROKEN = 3,
		       DX_USBIP_NO_DEVICE = 4,
		       DX_USBIP_FAILED = 5,
};

enum dx_usbip_command {
	DX_USBIP_SUBMIT = 1,
	DX_USBIP_UNLINK = 2,
	DX_USBIP_SUBMIT_ANSWER = 3,
	DX_USBIP_UNLINK_ANSWER = 4,
};

/* Flags of a submit, those that mean something to the other end. */
#define DX_USBIP_ISO_ASAP       0x0002u
#define DX_USBIP_SCATTER_GATHER 0x40000u /* its buffer need not be one piece of memory */

/* Linux's errno values, which are the protocol's whatever system sends them. */
enum dx_usbip_errno {
	DX_USBIP_ENOENT = -2,
	DX_USBIP_EIO = -5,
	DX_USBIP_ENOMEM = -12,
	DX_USBIP_EXDEV = -18,
	DX_USBIP_ENODEV = -19,
	DX_USBIP_EINVAL = -22,
	DX_USBIP_ENOSPC = -28,
	DX_USBIP_EPIPE = -32,
	DX_USBIP_ENOSR = -63,
	DX_USBIP_ECOMM = -70,
	DX_USBIP_EOVERFLOW = -75,
	DX_USBIP_ECONNRESET = -104,
	DX_USBIP_ESHUTDOWN = -108,
	DX_USBIP_ETIMEDOUT = -110,
	DX_USBIP_EREMOTEIO = -121,
};

struct dx_usbip_device {
	char path[DX_USBIP_PATH_BYTES];
	char busid[DX_USBIP_BUSID_BYTES];
	uint32_t busnum;
	uint32_t devnum;
	uint8_t speed; /* enum dx_usb_speed; DX_USB_SPEED_NONE when the peer does not know */
	uint16_t vendor;
	uint16_t product;
	uint16_t release;
	uint8_t device_class;
	uint8_t device_subclass;
	uint8_t device_protocol;
	uint8_t configuration;
	uint8_t nr_configurations;
	uint8_t nr_interfaces;
};

/* One unit; which members count follows from the command. */
struct dx_usbip_unit {
	uint32_t command;
	uint32_t number;
	uint32_t device;
	bool is_in;
	uint8_t endpoint;
	/* submit */
	uint32_t flags;
	uint32_t length;
	uint32_t interval;
	uint8_t setup[8];
	/* submit and its answer */
	uint32_t start_frame;
	uint32_t nr_packets;
	/* answers */
	int32_t status;
	uint32_t actual;
	uint32_t nr_errors;
	/* unlink */
	uint32_t unlinked;
};

struct dx_usbip_packet {
	uint32_t offset;
	uint32_t length;
	uint32_t actual;
	int32_t status;
};

void dx_usbip_put_header(uint8_t *bytes, uint16_t code, uint32_t result);
/* @return 0; -EPROTO another version, or another code than that. */
int dx_usbip_get_header(const uint8_t *bytes, uint16_t code, uint32_t *ret_result);
/* The code of a request; 0: no request of ours, or another version. */
uint16_t dx_usbip_get_request(const uint8_t *bytes);

void dx_usbip_put32(uint8_t *bytes, uint32_t value);
uint32_t dx_usbip_get32(const uint8_t *bytes);

/* A bus id as it is sent: padded with zeros. @return 0; -EINVAL empty, too long, or odd characters.
 */
int dx_usbip_put_busid(uint8_t *bytes, const char *busid);
/* @return 0; -EPROTO it does not end or has odd characters. */
int dx_usbip_get_busid(const uint8_t *bytes, char *busid);
bool dx_usbip_busid_is_good(const char *busid);

void dx_usbip_put_device(uint8_t *bytes, const struct dx_usbip_device *device);
/* @return 0; -EPROTO texts that do not end, busnum or devnum that do not fit. */
int dx_usbip_get_device(const uint8_t *bytes, struct dx_usbip_device *ret_device);
uint32_t dx_usbip_device_number(const struct dx_usbip_device *device);

/* Commands 1 to 4 only. */
void dx_usbip_put_unit(uint8_t *bytes, const struct dx_usbip_unit *unit);
/* @return 0; -EPROTO unknown command, direction, endpoint, negative length. nr_packets is 0 where
 * peers send -1 for "not isochronous". */
int dx_usbip_get_unit(const uint8_t *bytes, struct dx_usbip_unit *ret_unit);

void dx_usbip_put_packet(uint8_t *bytes, const struct dx_usbip_packet *packet);
void dx_usbip_get_packet(const uint8_t *bytes, struct dx_usbip_packet *ret_packet);

/* A transfer's status (usb/error.h) to and from what is sent. */
int32_t dx_usbip_status_to_errno(int32_t status);
int32_t dx_usbip_status_from_errno(int32_t sent);

#endif
