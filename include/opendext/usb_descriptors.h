/* SPDX-License-Identifier: MIT
 *
 * opendext/usb_descriptors.h - descriptors as a device sends them, their constants, and walking them.
 *
 * All structs are packed and little-endian: read fields through USBToHost16/32/64. What a device sent
 * need not make sense; the functions below never leave wTotalLength and never loop.
 */
#ifndef OPENDEXT_USB_DESCRIPTORS_H
#define OPENDEXT_USB_DESCRIPTORS_H

#include <stdint.h>

#include <IOKit/IOReturn.h>
#include <IOKit/usb/USB.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Byte order, bits ------------------------------------------------------------------------ */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define USBToHost16(x) __builtin_bswap16(x)
#define USBToHost32(x) __builtin_bswap32(x)
#define USBToHost64(x) __builtin_bswap64(x)
#else
/*! From the byte order of the bus to that of the processor, and back. */
#define USBToHost16(x) ((uint16_t)(x))
#define USBToHost32(x) ((uint32_t)(x))
#define USBToHost64(x) ((uint64_t)(x))
#endif
#define HostToUSB16(x) USBToHost16(x)
#define HostToUSB32(x) USBToHost32(x)
#define HostToUSB64(x) USBToHost64(x)

/*! One bit; the bits from a to b, both included; where such a field begins. */
#define IOUSBBit(bit)		     ((uint32_t)1 << (bit))
#define IOUSBBitRange(start, end)    (~(((uint32_t)1 << (start)) - 1) & \
				      (((((uint32_t)1 << (end)) - 1) << 1) | 1))
#define IOUSBBitRange64(start, end)  (~(((uint64_t)1 << (start)) - 1) & \
				      (((((uint64_t)1 << (end)) - 1) << 1) | 1))
#define IOUSBBitRangePhase(start, end) (start)

/* --- Descriptors ----------------------------------------------------------------------------- */

#define OPENDEXT_PACKED __attribute__((packed))

/*! How every descriptor begins. */
typedef struct IOUSBDescriptorHeader {
	uint8_t bLength;
	uint8_t bDescriptorType;
} OPENDEXT_PACKED IOUSBDescriptorHeader;
typedef IOUSBDescriptorHeader IOUSBDescriptor;

typedef struct IOUSBDeviceDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t bcdUSB;
	uint8_t bDeviceClass;
	uint8_t bDeviceSubClass;
	uint8_t bDeviceProtocol;
	uint8_t bMaxPacketSize0;
	uint16_t idVendor;
	uint16_t idProduct;
	uint16_t bcdDevice;
	uint8_t iManufacturer;
	uint8_t iProduct;
	uint8_t iSerialNumber;
	uint8_t bNumConfigurations;
} OPENDEXT_PACKED IOUSBDeviceDescriptor;

typedef struct IOUSBDeviceQualifierDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t bcdUSB;
	uint8_t bDeviceClass;
	uint8_t bDeviceSubClass;
	uint8_t bDeviceProtocol;
	uint8_t bMaxPacketSize0;
	uint8_t bNumConfigurations;
	uint8_t bReserved;
} OPENDEXT_PACKED IOUSBDeviceQualifierDescriptor;

/*! Enough of a configuration to learn its length. */
typedef struct IOUSBConfigurationDescHeader {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t wTotalLength;
} OPENDEXT_PACKED IOUSBConfigurationDescHeader;

/*! Followed by what belongs to it, wTotalLength bytes in all. */
typedef struct IOUSBConfigurationDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t wTotalLength;
	uint8_t bNumInterfaces;
	uint8_t bConfigurationValue;
	uint8_t iConfiguration;
	uint8_t bmAttributes;
	uint8_t MaxPower;
} OPENDEXT_PACKED IOUSBConfigurationDescriptor;

typedef struct IOUSBInterfaceDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bInterfaceNumber;
	uint8_t bAlternateSetting;
	uint8_t bNumEndpoints;
	uint8_t bInterfaceClass;
	uint8_t bInterfaceSubClass;
	uint8_t bInterfaceProtocol;
	uint8_t iInterface;
} OPENDEXT_PACKED IOUSBInterfaceDescriptor;

typedef struct IOUSBEndpointDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bEndpointAddress;
	uint8_t bmAttributes;
	uint16_t wMaxPacketSize;
	uint8_t bInterval;
} OPENDEXT_PACKED IOUSBEndpointDescriptor;

typedef struct IOUSBSuperSpeedEndpointCompanionDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bMaxBurst;
	uint8_t bmAttributes;
	uint16_t wBytesPerInterval;
} OPENDEXT_PACKED IOUSBSuperSpeedEndpointCompanionDescriptor;

typedef struct IOUSBSuperSpeedPlusIsochronousEndpointCompanionDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t wReserved;
	uint32_t dwBytesPerInterval;
} OPENDEXT_PACKED IOUSBSuperSpeedPlusIsochronousEndpointCompanionDescriptor;

/*! bString: bLength - 2 bytes of UTF-16, little-endian. */
typedef struct IOUSBStringDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bString[1];
} OPENDEXT_PACKED IOUSBStringDescriptor;

typedef struct IOUSBInterfaceAssociationDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bFirstInterface;
	uint8_t bInterfaceCount;
	uint8_t bFunctionClass;
	uint8_t bFunctionSubClass;
	uint8_t bFunctionProtocol;
	uint8_t iFunction;
} OPENDEXT_PACKED IOUSBInterfaceAssociationDescriptor;

/*! Followed by device capabilities, wTotalLength bytes in all. */
typedef struct IOUSBBOSDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t wTotalLength;
	uint8_t bNumDeviceCaps;
} OPENDEXT_PACKED IOUSBBOSDescriptor;

/*! Follow Apple's names: the last field is the byte behind bDevCapabilityType. */
typedef struct IOUSBDeviceCapabilityDescriptorHeader {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint8_t bNumDeviceCaps;
} OPENDEXT_PACKED IOUSBDeviceCapabilityDescriptorHeader;

typedef struct IOUSBDeviceCapabilityUSB2Extension {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint32_t bmAttributes;
} OPENDEXT_PACKED IOUSBDeviceCapabilityUSB2Extension;

typedef struct IOUSBDeviceCapabilitySuperSpeedUSB {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint8_t bmAttributes;
	uint16_t wSpeedsSupported;
	uint8_t bFunctionalitySupport;
	uint8_t bU1DevExitLat;
	uint16_t wU2DevExitLat;
} OPENDEXT_PACKED IOUSBDeviceCapabilitySuperSpeedUSB;

typedef struct IOUSBDeviceCapabilitySuperSpeedPlusUSB {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint8_t bReserved;
	uint32_t bmAttributes;
	uint16_t wFunctionalitySupport;
	uint16_t wReserved;
	uint32_t bmSublinkSpeedAttr[];
} OPENDEXT_PACKED IOUSBDeviceCapabilitySuperSpeedPlusUSB;

typedef struct IOUSBDeviceCapabilityContainerID {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint8_t bReservedID;
	uint8_t containerID[16];
} OPENDEXT_PACKED IOUSBDeviceCapabilityContainerID;

typedef struct IOUSBPlatformCapabilityDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint8_t bReserved;
	uint8_t PlatformCapabilityUUID[16];
} OPENDEXT_PACKED IOUSBPlatformCapabilityDescriptor;

typedef struct IOUSBDeviceCapabilityBillboardAltConfig {
	uint16_t wSVID;
	uint8_t bAltenateMode;
	uint8_t iAlternateModeString;
} OPENDEXT_PACKED IOUSBDeviceCapabilityBillboardAltConfig;

typedef struct IOUSBDeviceCapabilityBillboard {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bDevCapabilityType;
	uint8_t iAdditionalInfoURL;
	uint8_t bNumberOfAlternateModes;
	uint8_t bPreferredAlternateMode;
	uint16_t vCONNPower;
	uint8_t bmConfigured[32];
	uint16_t bcdVersion;
	uint8_t bAdditionalFailureInfo;
	uint8_t bReserved;
	IOUSBDeviceCapabilityBillboardAltConfig pAltConfigurations[];
} OPENDEXT_PACKED IOUSBDeviceCapabilityBillboard;

typedef struct IOUSB20HubDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bNumberPorts;
	uint16_t wHubCharacteristics;
	uint8_t bPowerOnToPowerGood;
	uint8_t bHubControllerCurrent;
	uint8_t deviceRemovable[2];
	uint8_t reserved[2];
} OPENDEXT_PACKED IOUSB20HubDescriptor;

typedef struct IOUSBSuperSpeedHubDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bNumberPorts;
	uint16_t wHubCharacteristics;
	uint8_t bPowerOnToPowerGood;
	uint8_t bHubControllerCurrent;
	uint8_t bHubDecodeLatency;
	uint16_t wHubDelay;
	uint16_t deviceRemovable;
} OPENDEXT_PACKED IOUSBSuperSpeedHubDescriptor;

typedef struct UASPipeDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bPipeID;
	uint8_t bReserved;
} OPENDEXT_PACKED UASPipeDescriptor;

typedef struct IOUSBHIDDescriptor {
	uint8_t descLen;
	uint8_t descType;
	uint16_t descVersNum;
	uint8_t hidCountryCode;
	uint8_t hidNumDescriptors;
	uint8_t hidDescriptorType;
	uint8_t hidDescriptorLengthLo;
	uint8_t hidDescriptorLengthHi;
} OPENDEXT_PACKED IOUSBHIDDescriptor;

typedef struct IOUSBHIDReportDesc {
	uint8_t hidDescriptorType;
	uint8_t hidDescriptorLengthLo;
	uint8_t hidDescriptorLengthHi;
} OPENDEXT_PACKED IOUSBHIDReportDesc;

typedef struct IOUSBDFUDescriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint8_t bmAttributes;
	uint16_t wDetachTimeout;
	uint16_t wTransferSize;
} OPENDEXT_PACKED IOUSBDFUDescriptor;

/*! A SETUP packet. */
typedef struct IOUSBDeviceRequest {
	uint8_t bmRequestType;
	uint8_t bRequest;
	uint16_t wValue;
	uint16_t wIndex;
	uint16_t wLength;
} OPENDEXT_PACKED IOUSBDeviceRequest;

typedef struct IOUSBDeviceRequestSetSELData {
	uint8_t u1Sel;
	uint8_t u1Pel;
	uint16_t u2Sel;
	uint16_t u2Pel;
} OPENDEXT_PACKED IOUSBDeviceRequestSetSELData;

/*! What an endpoint says about itself; companions are zero where it has none. */
typedef struct IOUSBStandardEndpointDescriptors {
	uint16_t bcdUSB;
	IOUSBEndpointDescriptor descriptor;
	IOUSBSuperSpeedEndpointCompanionDescriptor ssCompanionDescriptor;
	IOUSBSuperSpeedPlusIsochronousEndpointCompanionDescriptor sspCompanionDescriptor;
} OPENDEXT_PACKED IOUSBStandardEndpointDescriptors;

/*! One frame of an isochronous transfer: requestCount is the caller's, the rest is filled in. */
typedef struct IOUSBIsochronousFrame {
	IOReturn status;
	uint32_t requestCount;
	uint32_t completeCount;
	uint32_t reserved;
	uint64_t timeStamp;
} OPENDEXT_PACKED IOUSBIsochronousFrame;

/* --- Constants ------------------------------------------------------------------------------- */

/*! bDescriptorType. */
typedef enum tIOUSBDescriptorType {
	kIOUSBDescriptorTypeDevice = 1,
	kIOUSBDescriptorTypeConfiguration = 2,
	kIOUSBDescriptorTypeString = 3,
	kIOUSBDescriptorTypeInterface = 4,
	kIOUSBDescriptorTypeEndpoint = 5,
	kIOUSBDescriptorTypeDeviceQualifier = 6,
	kIOUSBDescriptorTypeOtherSpeedConfiguration = 7,
	kIOUSBDescriptorTypeInterfacePower = 8,
	kIOUSBDescriptorTypeOTG = 9,
	kIOUSBDescriptorTypeDebug = 10,
	kIOUSBDescriptorTypeInterfaceAssociation = 11,
	kIOUSBDescriptorTypeBOS = 15,
	kIOUSBDescriptorTypeDeviceCapability = 16,
	kIOUSBDecriptorTypeHID = 33,
	kIOUSBDecriptorTypeReport = 34,
	kIOUSBDescriptorTypePhysical = 35,
	kIOUSBDescriptorTypeHub = 41,
	kIOUSBDescriptorTypeSuperSpeedHub = 42,
	kIOUSBDescriptorTypeSuperSpeedUSBEndpointCompanion = 48,
	kIOUSBDescriptorTypeSuperSpeedPlusIsochronousEndpointCompanion = 49,
} tIOUSBDescriptorType;

/*! Sizes in bytes. */
enum {
	kIOUSBDescriptorHeaderSize = 2,
	kIOUSBDescriptorSizeDevice = 18,
	kIOUSBDescriptorSizeConfiguration = 9,
	kIOUSBDescriptorSizeInterface = 9,
	kIOUSBDescriptorSizeEndpoint = 7,
	kIOUSBDescriptorSizeStringMinimum = 2,
	kIOUSBDescriptorSizeStringMaximum = 255,
	kIOUSBDescriptorSizeDeviceQualifier = 10,
	kIOUSBDescriptorSizeInterfaceAssociation = 8,
	kIOUSBDescriptorSizeBOS = 5,
	kIOUSBDescriptorSizeDeviceCapability = 3,
	kIOUSBDescriptorSizeUSB20ExtensionCapability = 7,
	kIOUSBDescriptorSizeSuperSpeedUSBDeviceCapability = 10,
	kIOUSBDescriptorSizeContainerIDCapability = 20,
	kIOUSBDescriptorSizeHubMinimum = 9,
	kIOUSBDescriptorSizeHubMaximum = 21,
	kIOUSBDescriptorSizeSuperSpeedHub = 12,
	kIOUSBDescriptorSizeSuperSpeedUSBEndpointCompanion = 6,
	kIOUSBDescriptorSizeSuperSpeedPlusIsochronousEndpointCompanion = 8,
	kIOUSBDescriptorSizeBillboardDeviceMinimum = 44,
	kIOUSBDescriptorSizeBillboardDeviceMaximum = 256,
	kIOUSBDescriptorSizePlatformECIDCapability = 28,
	kIOUSBDescriptorSizePlatformCapability = 20,
};

/*! bEndpointAddress, bmAttributes and wMaxPacketSize of an endpoint. */
enum {
	kIOUSBEndpointDescriptorNumber = IOUSBBitRange(0, 3),
	kIOUSBEndpointDescriptorDirection = IOUSBBit(7),
	kIOUSBEndpointDescriptorDirectionOut = 0,
	kIOUSBEndpointDescriptorDirectionIn = IOUSBBit(7),
	kIOUSBEndpointDescriptorTransferType = IOUSBBitRange(0, 1),
	kIOUSBEndpointDescriptorTransferTypeControl = 0,
	kIOUSBEndpointDescriptorTransferTypeIsochronous = 1,
	kIOUSBEndpointDescriptorTransferTypeBulk = 2,
	kIOUSBEndpointDescriptorTransferTypeInterrupt = 3,
	kIOUSBEndpointDescriptorSynchronizationType = IOUSBBitRange(2, 3),
	kIOUSBEndpointDescriptorSynchronizationTypeNone = 0,
	kIOUSBEndpointDescriptorSynchronizationTypeAsynchronous = 4,
	kIOUSBEndpointDescriptorSynchronizationTypeAdaptive = 8,
	kIOUSBEndpointDescriptorSynchronizationTypeSynchronous = 0xC,
	kIOUSBEndpointDescriptorUsageType = IOUSBBitRange(4, 5),
	kIOUSBEndpointDescriptorUsageTypeData = 0,
	kIOUSBEndpointDescriptorUsageTypeFeedback = 0x10,
	kIOUSBEndpointDescriptorUsageTypeImplicit = 0x20,
	kIOUSBEndpointDescriptorPacketSize = IOUSBBitRange(0, 10),
	kIOUSBEndpointDescriptorPacketSizeMult = IOUSBBitRange(11, 12),
};

/*! Super speed companion: bursts, streams, packets per interval. */
enum {
	kIOUSBSuperSpeedEndpointCompanionDescriptorMaxBurst = IOUSBBitRange(0, 4),
	kIOUSBSuperSpeedEndpointCompanionDescriptorBulkMaxStreams = IOUSBBitRange(0, 4),
	kIOUSBSuperSpeedEndpointCompanionDescriptorIsocMult = IOUSBBitRange(0, 1),
};

typedef enum tIOUSBEndpointDirection {
	kIOUSBEndpointDirectionOut = 0,
	kIOUSBEndpointDirectionIn = 1,
	kIOUSBEndpointDirectionUnknown = 2,
} tIOUSBEndpointDirection;

typedef enum tIOUSBEndpointType {
	kIOUSBEndpointTypeControl = 0,
	kIOUSBEndpointTypeIsochronous = 1,
	kIOUSBEndpointTypeBulk = 2,
	kIOUSBEndpointTypeInterrupt = 3,
} tIOUSBEndpointType;

typedef enum tIOUSBLanguageID { kIOUSBLanguageIDEnglishUS = 0x0409 } tIOUSBLanguageID;

/*! bmRequestType: the Value forms are the fields' contents, the others are in place. */
enum {
	kIOUSBDeviceRequestSize = 8,
	kIOUSBDeviceRequestDirectionValueOut = 0,
	kIOUSBDeviceRequestDirectionValueIn = 1,
	kIOUSBDeviceRequestDirectionMask = 0x80,
	kIOUSBDeviceRequestDirectionOut = 0,
	kIOUSBDeviceRequestDirectionIn = 0x80,
	kIOUSBDeviceRequestTypeValueStandard = 0,
	kIOUSBDeviceRequestTypeValueClass = 1,
	kIOUSBDeviceRequestTypeValueVendor = 2,
	kIOUSBDeviceRequestTypeMask = 0x60,
	kIOUSBDeviceRequestTypeStandard = 0,
	kIOUSBDeviceRequestTypeClass = 0x20,
	kIOUSBDeviceRequestTypeVendor = 0x40,
	kIOUSBDeviceRequestRecipientValueDevice = 0,
	kIOUSBDeviceRequestRecipientValueInterface = 1,
	kIOUSBDeviceRequestRecipientValueEndpoint = 2,
	kIOUSBDeviceRequestRecipientValueOther = 3,
	kIOUSBDeviceRequestRecipientMask = 0x1F,
	kIOUSBDeviceRequestRecipientDevice = 0,
	kIOUSBDeviceRequestRecipientInterface = 1,
	kIOUSBDeviceRequestRecipientEndpoint = 2,
	kIOUSBDeviceRequestRecipientOther = 3,
};

/*! bRequest of standard requests. */
typedef enum tIOUSBDeviceRequest {
	kIOUSBDeviceRequestGetStatus = 0,
	kIOUSBDeviceRequestClearFeature = 1,
	kIOUSBDeviceRequestGetState = 2,
	kIOUSBDeviceRequestSetFeature = 3,
	kIOUSBDeviceRequestSetAddress = 5,
	kIOUSBDeviceRequestGetDescriptor = 6,
	kIOUSBDeviceRequestSetDescriptor = 7,
	kIOUSBDeviceRequestGetConfiguration = 8,
	kIOUSBDeviceRequestSetConfiguration = 9,
	kIOUSBDeviceRequestGetInterface = 10,
	kIOUSBDeviceRequestSetInterface = 11,
	kIOUSBDeviceRequestSynchFrame = 12,
	kIOUSBDeviceRequestSetSel = 48,
	kIOUSBDeviceRequestSetIsochronousDelay = 49,
} tIOUSBDeviceRequest;

/*! wValue of SET_FEATURE and CLEAR_FEATURE; bits of the endpoint status. */
enum {
	kIOUSBDeviceFeatureSelectorRemoteWakeup = 1,
	kIOUSBDeviceFeatureSelectorTestMode = 2,
	kIOUSBDeviceFeatureSelectorU1Enable = 48,
	kIOUSBDeviceFeatureSelectorU2Enable = 49,
	kIOUSBDeviceFeatureSelectorLTMEnable = 50,
	IOUSBInterfaceFeatureSelectorSuspend = 0,
	IOUSBEndpointFeatureSelectorStall = 0,
	IOUSBEndpointStatusHalt = IOUSBBit(0),
};

/*! bDevCapabilityType. */
typedef enum tIOUSBDeviceCapabilityType {
	kIOUSBDeviceCapabilityTypeWireless = 1,
	kIOUSBDeviceCapabilityTypeUSB20Extension = 2,
	kIOUSBDeviceCapabilityTypeSuperSpeed = 3,
	kIOUSBDeviceCapabilityTypeContainerID = 4,
	kIOUSBDeviceCapabilityTypePlatform = 5,
	kIOUSBDeviceCapabilityTypePowerDelivery = 6,
	kIOUSBDeviceCapabilityTypeBatteryInfo = 7,
	kIOUSBDeviceCapabilityTypePdConsumerPort = 8,
	kIOUSBDeviceCapabilityTypePdProviderPort = 9,
	kIOUSBDeviceCapabilityTypeSuperSpeedPlus = 10,
	kIOUSBDeviceCapabilityTypePrecisionMeasurement = 11,
	kIOUSBDeviceCapabilityTypeWirelessExt = 12,
	kIOUSBDeviceCapabilityTypeBillboard = 13,
	kIOUSBDeviceCapabilityTypeBillboardAltMode = 15,
} tIOUSBDeviceCapabilityType;

/*! bmAttributes and MaxPower of a configuration. */
enum {
	kIOUSBConfigurationDescriptorAttributeRemoteWakeCapable = IOUSBBit(5),
	kIOUSBConfigurationDescriptorAttributeSelfPowered = IOUSBBit(6),
	kUSBDefaultBusCurrentMinimum = 100,
	kUSB2MaxBusCurrent = 500,
	kUSB2MaxPowerUnitMilliAmps = 2,
	kUSB3MinimumBusCurrent = 150,
	kUSB3MaxBusCurrent = 900,
	kUSB3MaxPowerUnitMilliAmps = 8,
};

/*! What GetSpeed returns. */
typedef enum tIOUSBHostConnectionSpeed {
	kIOUSBHostConnectionSpeedNone = 0,
	kIOUSBHostConnectionSpeedFull = 1,
	kIOUSBHostConnectionSpeedLow = 2,
	kIOUSBHostConnectionSpeedHigh = 3,
	kIOUSBHostConnectionSpeedSuper = 4,
	kIOUSBHostConnectionSpeedSuperPlus = 5,
	kIOUSBHostConnectionSpeedSuperPlusBy2 = 6,
} tIOUSBHostConnectionSpeed;

/*! The same under the names of DriverKit. */
typedef enum tIOUSBHostPortConnectionSpeed {
	kIOUSBHostPortConnectionSpeedNone = 0,
	kIOUSBHostPortConnectionSpeedFull = 1,
	kIOUSBHostPortConnectionSpeedLow = 2,
	kIOUSBHostPortConnectionSpeedHigh = 3,
	kIOUSBHostPortConnectionSpeedSuper = 4,
	kIOUSBHostPortConnectionSpeedSuperPlus = 5,
	kIOUSBHostPortConnectionSpeedSuperPlusBy2 = 6,
} tIOUSBHostPortConnectionSpeed;

typedef enum tIOUSBHostPortType {
	kIOUSBHostPortTypeStandard = 0,
	kIOUSBHostPortTypeCaptive = 1,
	kIOUSBHostPortTypeInternal = 2,
	kIOUSBHostPortTypeAccessory = 3,
	kIOUSBHostPortTypeExpressCard = 4,
	kIOUSBHostPortTypeCount = 5,
} tIOUSBHostPortType;

/*! Bits of GetPortStatus. */
typedef enum tIOUSBHostPortStatus {
	kIOUSBHostPortStatusPortTypeMask = IOUSBBitRange(0, 3),
	kIOUSBHostPortStatusReservedMask = IOUSBBitRange(4, 7),
	kIOUSBHostPortStatusConnectedSpeedMask = IOUSBBitRange(8, 10),
	kIOUSBHostPortStatusConnectedSpeedPhase = IOUSBBitRangePhase(8, 10),
	kIOUSBHostPortStatusConnectedSpeedNone = 0,
	kIOUSBHostPortStatusConnectedSpeedFull = 0x100,
	kIOUSBHostPortStatusConnectedSpeedLow = 0x200,
	kIOUSBHostPortStatusConnectedSpeedHigh = 0x300,
	kIOUSBHostPortStatusConnectedSpeedSuper = 0x400,
	kIOUSBHostPortStatusConnectedSpeedSuperPlus = 0x500,
	kIOUSBHostPortStatusConnectedSpeedSuperPlusBy2 = 0x600,
	kIOUSBHostPortStatusResetting = IOUSBBit(11),
	kIOUSBHostPortStatusEnabled = IOUSBBit(12),
	kIOUSBHostPortStatusSuspended = IOUSBBit(13),
	kIOUSBHostPortStatusOvercurrent = IOUSBBit(14),
	kIOUSBHostPortStatusTestMode = IOUSBBit(15),
} tIOUSBHostPortStatus;

enum { kIOUSBAppleVendorID = 0x05AC };

/* --- Walking --------------------------------------------------------------------------------- */

#pragma GCC visibility push(default)

/*!
 * The descriptor behind `currentDescriptor`, in the order of the bytes.
 * @param configurationDescriptor  with all that belongs to it.
 * @param currentDescriptor        inside it; NULL begins behind the configuration's own descriptor.
 * @return NULL at the end, and when the next one does not fit or is shorter than its header.
 */
const IOUSBDescriptorHeader *
IOUSBGetNextDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
		       const IOUSBDescriptorHeader *currentDescriptor);
/*! The next one of that bDescriptorType. */
const IOUSBDescriptorHeader *
IOUSBGetNextDescriptorWithType(const IOUSBConfigurationDescriptor *configurationDescriptor,
			       const IOUSBDescriptorHeader *currentDescriptor, const uint8_t type);
/*! Stops at the next descriptor of the parent's own type, so that what it returns belongs to parent.
 * @param currentDescriptor  NULL begins behind parent. */
const IOUSBDescriptorHeader *
IOUSBGetNextAssociatedDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
				 const IOUSBDescriptorHeader *parentDescriptor,
				 const IOUSBDescriptorHeader *currentDescriptor);
/*! Both conditions. */
const IOUSBDescriptorHeader *
IOUSBGetNextAssociatedDescriptorWithType(const IOUSBConfigurationDescriptor *configurationDescriptor,
					 const IOUSBDescriptorHeader *parentDescriptor,
					 const IOUSBDescriptorHeader *currentDescriptor,
					 const uint8_t type);
/*! The next interface association; interface; endpoint of an interface descriptor. Each is at least
 * as long as its struct. */
const IOUSBInterfaceAssociationDescriptor *
IOUSBGetNextInterfaceAssociationDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
					   const IOUSBDescriptorHeader *currentDescriptor);
/*! The first one behind current (NULL: of all). NULL: there is none. */
const IOUSBInterfaceDescriptor *
IOUSBGetNextInterfaceDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
				const IOUSBDescriptorHeader *currentDescriptor);
/*! The same among the endpoints of this interface descriptor. */
const IOUSBEndpointDescriptor *
IOUSBGetNextEndpointDescriptor(const IOUSBConfigurationDescriptor *configurationDescriptor,
			       const IOUSBInterfaceDescriptor *interfaceDescriptor,
			       const IOUSBDescriptorHeader *currentDescriptor);

/*! The device capability behind `currentDescriptor` in a BOS descriptor; NULL begins, NULL ends. */
const IOUSBDeviceCapabilityDescriptorHeader *
IOUSBGetNextCapabilityDescriptor(const IOUSBBOSDescriptor *bosDescriptor,
				 const IOUSBDeviceCapabilityDescriptorHeader *currentDescriptor);
/*! The next one of that bDevCapabilityType. */
const IOUSBDeviceCapabilityDescriptorHeader *
IOUSBGetNextCapabilityDescriptorWithType(
	const IOUSBBOSDescriptor *bosDescriptor,
	const IOUSBDeviceCapabilityDescriptorHeader *currentDescriptor, const uint8_t type);
/*! The first of its kind that is as long as its struct, or NULL. */
const IOUSBDeviceCapabilityUSB2Extension *
IOUSBGetUSB20ExtensionDeviceCapabilityDescriptor(const IOUSBBOSDescriptor *bosDescriptor);
/*! The SuperSpeed capability. NULL: there is none. */
const IOUSBDeviceCapabilitySuperSpeedUSB *
IOUSBGetSuperSpeedDeviceCapabilityDescriptor(const IOUSBBOSDescriptor *bosDescriptor);
/*! The container id capability. NULL: there is none. */
const IOUSBDeviceCapabilityContainerID *
IOUSBGetContainerIDDescriptor(const IOUSBBOSDescriptor *bosDescriptor);
/*! The billboard capability. NULL: there is none. */
const IOUSBDeviceCapabilityBillboard *
IOUSBGetBillboardDescriptor(const IOUSBBOSDescriptor *bosDescriptor);

/*! What an endpoint descriptor says: tIOUSBEndpointDirection (Unknown for control endpoints),
 * bEndpointAddress, number, tIOUSBEndpointType. */
uint8_t IOUSBGetEndpointDirection(const IOUSBEndpointDescriptor *descriptor);
/*! Number and direction bit, as in bEndpointAddress. */
uint8_t IOUSBGetEndpointAddress(const IOUSBEndpointDescriptor *descriptor);
/*! The number without the direction. */
uint8_t IOUSBGetEndpointNumber(const IOUSBEndpointDescriptor *descriptor);
/*! A kIOUSBEndpointType* value. */
uint8_t IOUSBGetEndpointType(const IOUSBEndpointDescriptor *descriptor);
/*!
 * Bytes of one packet, without bursts and mult.
 * @param usbDeviceSpeed  kIOUSBHostConnectionSpeed...
 * @return 0 for a type that does not exist at that speed, and for sizes above what it allows.
 */
uint16_t IOUSBGetEndpointMaxPacketSize(uint32_t usbDeviceSpeed,
				       const IOUSBEndpointDescriptor *descriptor);
/*! The service interval of a periodic endpoint: as n of 2^(n-1) microframes, in microframes, in frames
 * (0: shorter than one). 0 for control and bulk endpoints and for bInterval 0. */
uint32_t IOUSBGetEndpointIntervalEncodedMicroframes(uint32_t usbDeviceSpeed,
						    const IOUSBEndpointDescriptor *descriptor);
/*! The polling interval in units of 125 us. */
uint32_t IOUSBGetEndpointIntervalMicroframes(uint32_t usbDeviceSpeed,
					     const IOUSBEndpointDescriptor *descriptor);
/*! The polling interval in ms, rounded down. */
uint32_t IOUSBGetEndpointIntervalFrames(uint32_t usbDeviceSpeed,
					const IOUSBEndpointDescriptor *descriptor);
/*! Streams of a super speed bulk endpoint: as n of 2^n, and as a number; 0: none.
 * @param companionDescriptor  may be NULL. */
uint32_t IOUSBGetEndpointMaxStreamsEncoded(
	uint32_t usbDeviceSpeed, const IOUSBEndpointDescriptor *endpointDescriptor,
	const IOUSBSuperSpeedEndpointCompanionDescriptor *companionDescriptor);
/*! How many bulk streams it has; 0: none. */
uint32_t
IOUSBGetEndpointMaxStreams(uint32_t usbDeviceSpeed,
			   const IOUSBEndpointDescriptor *endpointDescriptor,
			   const IOUSBSuperSpeedEndpointCompanionDescriptor *companionDescriptor);
/*! MaxPower in mA: units of 2 mA, at super speed of 8 mA. */
uint32_t
IOUSBGetConfigurationMaxPowerMilliAmps(uint32_t usbDeviceSpeed,
				       const IOUSBConfigurationDescriptor *descriptor);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
