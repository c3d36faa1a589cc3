/* SPDX-License-Identifier: MIT
 *
 * registry - the tree of entries that applications see: devices, services, user clients.
 *
 * Place:      daemon. Knows names, classes, properties, states and the tree; nothing of processes,
 *             sockets or matching policy.
 * Invariants:
 *   G1  an id names one entry for as long as the machine runs: ids start from the boot clock, so a
 *       new broker never gives out an old one; entries that outlive a broker keep theirs.
 *   G2  an entry has a parent, except the root; an entry with children is not removed.
 *   G3  busy > 0 of an entry counts as one in its parent's busy.
 *   G4  properties of one entry are at most DX_ENTRY_MAX_BYTES encoded and DX_ENTRY_MAX_LEVELS
 *       deep, the tree at most DX_REGISTRY_MAX_DEPTH, so that the whole fits a property list.
 *   G5  removed entries that were registered stay readable, inactive, until DX_REGISTRY_MAX_GHOSTS
 *       younger ones push them out: a program that hears of a termination may still ask for the
 *       name.
 * Threads:    one.
 */
#ifndef DX_DAEMON_REGISTRY_H
#define DX_DAEMON_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/value.h"

#define DX_REGISTRY_MAX_DEPTH  7u
#define DX_REGISTRY_MAX_GHOSTS 256u
#define DX_ENTRY_MAX_LEVELS    12u
#define DX_ENTRY_MAX_BYTES     65536u

/* The three that every registry has; the same after every start. */
#define DX_REGISTRY_ROOT_ID           0x100000000ull
#define DX_REGISTRY_RESOURCES_ID      0x100000001ull
#define DX_REGISTRY_USER_RESOURCES_ID 0x100000002ull

#define DX_USER_PROPERTIES_KEY        "IOUserServiceProperties"

struct dx_registry;
struct dx_host;
struct dx_driver;

/* How far the end of an entry has come; see terminate.h. */
enum dx_stop_state { DX_STOP_NONE, DX_STOP_WANTED, DX_STOP_SENT, DX_STOP_DONE };

struct dx_entry {
	struct dx_registry *registry;
	uint64_t id;
	uint64_t parent_id; /* stays when the entry is a ghost */
	char name[DX_MAX_NAME];
	char location[DX_MAX_NAME]; /* "" when it has none */
	char class_name[DX_MAX_NAME];
	struct dx_dict *properties; /* owned; the driver's own in a sub-dictionary */
	struct dx_entry *parent;
	struct dx_list children;
	struct dx_list sibling; /* in the parent's children, or among the ghosts */
	struct dx_list bucket;
	unsigned depth;
	unsigned nr_children;
	uint32_t busy;
	bool registered;
	bool matched;    /* its drivers have been looked for and started once */
	bool match_told; /* ... since it registered last, and who asked has heard so */
	bool inactive;
	bool ghost;

	/* Kept here for others, not used by the registry. */
	unsigned nr_starting;     /* drivers being started on it */
	struct dx_list slots;     /* of struct dx_slot: what is or was tried on it */
	struct dx_list interests; /* of struct dx_watch */
	struct dx_host *host;     /* the process that serves it, or NULL */
	struct dx_driver *driver; /* what the broker started, or NULL */
	struct dx_device *device; /* on devices and their interfaces */
	uint32_t user_busy;       /* the part of busy that the driver itself asked for */
	enum dx_stop_state stop;
	bool orphan;    /* its host has just died */
	bool match_due; /* drivers are to be looked for, as its busy count says */
};

struct dx_registry_ops {
	/* busy of an entry became, or stopped being, zero. */
	void (*busy_changed)(void *context, struct dx_entry *entry);
};

int dx_registry_new(const struct dx_registry_ops *ops, void *context,
		    struct dx_registry **ret_registry);
struct dx_registry *dx_registry_free(struct dx_registry *registry);

struct dx_entry *dx_registry_root(struct dx_registry *registry);
/* 0 is the root. Ghosts are found too. NULL: no such entry. */
struct dx_entry *dx_registry_find(struct dx_registry *registry, uint64_t id);
/* The next entry in depth-first order, parents first; NULL at the end. Begin with the root. */
struct dx_entry *dx_registry_next(const struct dx_entry *entry);
/* Reserves nr_ids ids and returns the first. */
uint64_t dx_registry_take_ids(struct dx_registry *registry, uint64_t nr_ids);
/* Ids below end are never given out by take_ids from now on. */
void dx_registry_skip_ids(struct dx_registry *registry, uint64_t end);
size_t dx_registry_count(const struct dx_registry *registry);

/*
 * A new entry below parent; id 0 picks one. properties (may be NULL) is copied, and bounded (G4).
 * @return 0; -EEXIST id in use; -ENOSPC too many entries; -ELOOP too deep; -E2BIG properties;
 *         -ENODEV parent inactive; -ENOMEM.
 */
int dx_registry_add(struct dx_entry *parent, uint64_t id, const char *class_name, const char *name,
		    const struct dx_dict *properties, struct dx_entry **ret_entry);
/* Takes it out; it has no children (G2). It becomes a ghost, or is freed. */
void dx_registry_remove(struct dx_entry *entry);

void dx_entry_set_name(struct dx_entry *entry, const char *name);
/* Adds to the sub-dictionary of the driver. -E2BIG; -ENOMEM; the entry is unchanged then. */
int dx_entry_merge_user_properties(struct dx_entry *entry, const struct dx_dict *properties);
void dx_entry_remove_user_property(struct dx_entry *entry, const char *key);
/* Never below 0. */
void dx_entry_adjust_busy(struct dx_entry *entry, int delta);
/* Property as matching sees it: the driver's own first. Borrowed; NULL. */
void *dx_entry_property(const struct dx_entry *entry, const char *key);
bool dx_entry_is_kind(const struct dx_entry *entry, const char *class_name);
bool dx_entry_is_below(const struct dx_entry *entry, const struct dx_entry *above);
/* "IOService:/name/name@location", cut at capacity. @return length without a cut. */
size_t dx_entry_path(const struct dx_entry *entry, char *buffer, size_t capacity);

/* The super class of a kernel class; NULL behind OSObject. Unknown names derive from
 * IOUserService. */
const char *dx_kernel_class_super(const char *class_name);
/* In the table; others are taken as they are, and derive from IOUserService. */
bool dx_kernel_class_is_known(const char *class_name);
/* class_name is, or derives from, other; the old USB names are taken as the new ones. */
bool dx_kernel_class_conforms(const char *class_name, const char *other);

/* Entry as property list (keys DX_ENTRY_*). +1; NULL without memory. */
struct dx_dict *dx_entry_describe(const struct dx_entry *entry, bool with_properties);
/* The same for everything below it too. */
struct dx_dict *dx_entry_describe_tree(const struct dx_entry *entry, bool with_properties);

/* Asserts G2, G3 and the links of the whole tree. */
void dx_registry_check(const struct dx_registry *registry);

#endif
