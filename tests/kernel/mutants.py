# SPDX-License-Identifier: MIT
"""mutants - captures that are wrong in one place, for tests of the comparison in captures.py.

Each must be told from the capture that it was made of. They are made of ours, because usbmon's has
events that rightly are not in ours; of those only what is missing is tried.
"""
import dataclasses

COMMENT_FIELDS = ("frame.comment", "_ws.expert")


def replaced(events, at, **changes):
    return events[:at] + [dataclasses.replace(events[at], **changes)] + events[at + 1:]


def with_field(event, at):
    name, show, value = event.fields[at]
    return event.fields[:at] + [(name, f"{show}?", value)] + event.fields[at + 1:]


def changed_fields(events, fields_each):
    """One event with one field of another value; of each event `fields_each` fields (0: all)."""
    for at, event in enumerate(events):
        if event.is_opened and event.kind == "S":
            continue  # how much was asked for is of no account there
        known = [number for number, entry in enumerate(event.fields)
                 if not entry[0].startswith(COMMENT_FIELDS)]
        step = max(1, len(known) // fields_each) if fields_each else 1
        for number in known[at % step::step]:
            yield (f"{event.number}: field {event.fields[number][0]}",
                   replaced(events, at, fields=with_field(event, number)))


def changed_events(events):
    """One event is missing, or another one than it was."""
    for at, event in enumerate(events):
        yield f"{event.number}: missing", events[:at] + events[at + 1:]
        yield f"{event.number}: twice", events[:at + 1] + events[at:]
        yield f"{event.number}: a device", replaced(events, at, device="99.9")
        yield f"{event.number}: status", replaced(events, at, status=event.status - 1)
        yield f"{event.number}: id", replaced(events, at, id="another")
        if event.kind == "S" and event.setup:
            other = bytes([event.setup[0], event.setup[1], event.setup[2] ^ 1]) + event.setup[3:]
            yield f"{event.number}: setup", replaced(events, at, setup=other)
        if event.kind == "S" and not event.is_opened:
            yield f"{event.number}: endpoint", replaced(events, at, endpoint=event.endpoint ^ 0x0f,
                                                        type=3)
            yield f"{event.number}: late", replaced(events, at, time=event.time + 1000000000)
        if event.kind == "C" and not event.is_opened:
            yield f"{event.number}: early", replaced(events, at, time=event.time - 1000000000)


def missing_transfers(events):
    """Both events of one transfer are missing."""
    under_way = {}
    for at, event in enumerate(events):
        if event.kind == "S":
            under_way[event.id] = at
        elif not event.is_opened:
            first = under_way[event.id]
            yield (f"{events[first].number}: no such transfer",
                   events[:first] + events[first + 1:at] + events[at + 1:])


def mutants(events, fields_each=0):
    yield from changed_events(events)
    yield from missing_transfers(events)
    yield from changed_fields(events, fields_each)
