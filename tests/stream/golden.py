"""One example of every message on a public topic, with its exact bytes: the wire as others see it.

A change of any of these bytes is a change for everyone who reads or writes the topic.
"""

from __future__ import annotations

from msgspec import Struct

from alerts.model import Alert, Rule, Severity, State
from geo.model import (
    Evidence,
    Fence,
    Gap,
    GapBy,
    Halt,
    Motion,
    Ping,
    Sighting,
    Silence,
    Speeding,
    Stop,
    StopRole,
    Trip,
    VehiclePlan,
    Visit,
)
from orders.model import (
    Age,
    Aged,
    Assigned,
    Cancelled,
    Closed,
    Code,
    Failed,
    InTransit,
    LastSeen,
    Milestone,
    Opened,
    OrderStatus,
    Outbound,
    Outcome,
    Received,
    Returned,
    Reviewed,
    Signed,
    Stage,
)
from stream import topics
from stream.letters import DeadLetter, Reason

STOP = Stop("wh-3", StopRole.PICKUP, Fence(31.23, 121.47, 150.0, 250.0))
STOP_JSON = (
    b'{"stop_id":"wh-3","role":"pickup",'
    b'"fence":{"lat":31.23,"lon":121.47,"enter_m":150.0,"exit_m":250.0,"shape":null}}'
)
VISIT = Visit(
    "v-1", "truck-7", "wh-3", StopRole.PICKUP, 1000, 61_000,
    Evidence("dwell", 4, 900, 60_900, 12.5), departed_at=900_000, order_id="o-1",
)  # fmt: skip
VISIT_JSON = (
    b'{"kind":"visit","visit_id":"v-1","vehicle_id":"truck-7","stop_id":"wh-3","role":"pickup",'
    b'"arrived_at":1000,"reported_at":61000,"evidence":{"rule":"dwell","positions":4,'
    b'"first_ts":900,"last_ts":60900,"nearest_m":12.5,"confidence":0.5},"departed_at":900000,"order_id":"o-1",'
    b'"inferred":false,"version":0,"supersedes":null,"retracted":false}'
)

GOLDEN: tuple[tuple[str, Struct, bytes], ...] = (
    (
        topics.PINGS,
        Ping("沪A12345", 1_735_689_600_000, 31.2304, 121.4737, 11.7, 184.0, 5.0, 1_735_689_603_120),
        '{"vehicle_id":"沪A12345","ts":1735689600000,"lat":31.2304,"lon":121.4737,"speed_mps":11.7,'
        '"heading_deg":184.0,"accuracy_m":5.0,"received_at":1735689603120}'.encode(),
    ),
    (
        topics.PINGS,
        Ping("truck-7", 1_735_689_600_000, 31.2304, 121.4737),
        b'{"vehicle_id":"truck-7","ts":1735689600000,"lat":31.2304,"lon":121.4737}',
    ),
    (
        topics.PINGS,
        Ping("truck-7", 1_735_689_600_000, 31.2304, 121.4737, source="carrier-n", seq=417),
        b'{"vehicle_id":"truck-7","ts":1735689600000,"lat":31.2304,"lon":121.4737,'
        b'"source":"carrier-n","seq":417}',
    ),
    (
        topics.PLANS,
        VehiclePlan("truck-7", 1000, (STOP,), "o-1"),
        b'{"vehicle_id":"truck-7","ts":1000,"stops":[' + STOP_JSON + b'],"order_id":"o-1"}',
    ),
    (topics.VEHICLE_FACTS, VISIT, VISIT_JSON),
    (
        topics.VEHICLE_FACTS,
        Silence("truck-7", 1000, 901_000),
        b'{"kind":"silence","vehicle_id":"truck-7","since":1000,"reported_at":901000,"until":null,'
        b'"parked":false}',
    ),
    (
        topics.VEHICLE_FACTS,
        Gap("truck-7", GapBy.SEQUENCE, 1000, 31_000, 2, 931_000, source="carrier-n"),
        b'{"kind":"gap","vehicle_id":"truck-7","by":"sequence","since":1000,"until":31000,'
        b'"missing":2,"reported_at":931000,"came":0,"source":"carrier-n"}',
    ),
    (
        topics.VEHICLE_MOVES,
        Halt("truck-7", 1000, 31.2, 121.4, 30, 301_000, 60_000),
        b'{"kind":"halt","vehicle_id":"truck-7","since":1000,"lat":31.2,"lon":121.4,'
        b'"positions":30,"until":301000,"idling_ms":60000,"retracted":false}',
    ),
    (
        topics.VEHICLE_MOVES,
        Trip("truck-7", 1000, 301_000, 2_500.0, 30, 16.5),
        b'{"kind":"trip","vehicle_id":"truck-7","since":1000,"until":301000,"metres":2500.0,'
        b'"positions":30,"top_mps":16.5,"retracted":false}',
    ),
    (
        topics.VEHICLE_MOVES,
        Speeding("truck-7", 1000, 91_000, 33.0, 30.5, 9),
        b'{"kind":"speeding","vehicle_id":"truck-7","since":1000,"until":91000,"top_mps":33.0,'
        b'"limit_mps":30.5,"positions":9,"retracted":false}',
    ),
    (
        topics.ORDER_EVENTS,
        Received(order_id="o-1", ts=1000, event_id="e-1", source="oms"),
        b'{"kind":"received","order_id":"o-1","ts":1000,"event_id":"e-1","source":"oms"}',
    ),
    (
        topics.ORDER_EVENTS,
        Reviewed(order_id="o-1", ts=1000),
        b'{"kind":"reviewed","order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        Assigned(order_id="o-1", ts=1000, vehicle_id="truck-7", stops=(STOP,)),
        b'{"kind":"assigned","vehicle_id":"truck-7","stops":['
        + STOP_JSON
        + b'],"order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        Outbound(order_id="o-1", ts=1000),
        b'{"kind":"outbound","order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        InTransit(order_id="o-1", ts=1000),
        b'{"kind":"in_transit","order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        Signed(order_id="o-1", ts=1000),
        b'{"kind":"signed","order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        Cancelled(order_id="o-1", ts=1000),
        b'{"kind":"cancelled","order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        Returned(order_id="o-1", ts=1000),
        b'{"kind":"returned","order_id":"o-1","ts":1000}',
    ),
    (
        topics.ORDER_EVENTS,
        Failed(order_id="o-1", ts=1000, error="refused"),
        b'{"kind":"error","error":"refused","order_id":"o-1","ts":1000}',
    ),
    (topics.ORDER_FACTS, VISIT, VISIT_JSON),
    (
        topics.ORDER_FACTS,
        Sighting("o-1", "truck-7", 1000, 31.23, 121.47, Motion.MOVING, 2000),
        b'{"kind":"sighting","order_id":"o-1","vehicle_id":"truck-7","ts":1000,"lat":31.23,'
        b'"lon":121.47,"motion":"moving","reported_at":2000}',
    ),
    (
        topics.ORDER_STATUS,
        OrderStatus(
            "o-1", 9, Stage.IN_TRANSIT, 2000, 1000, 3000, Age.FRESH, "truck-7",
            LastSeen(2900, 31.23, 121.47),
            (Milestone(1, Code.ORDER_ACCEPTED, 1000, 1100, "event"),),
            stops=(Stop("dock-7", StopRole.DELIVERY, Fence(31.2, 121.4)),),
        ),
        b'{"order_id":"o-1","rev":9,"stage":"in_transit","stage_at":2000,"received_at":1000,'
        b'"reported_at":3000,"age":"fresh","vehicle_id":"truck-7",'
        b'"seen":{"ts":2900,"lat":31.23,"lon":121.47},"milestones":[{"sequence":1,'
        b'"code":"order_accepted","occurred_at":1000,"reported_at":1100,"source":"event"}],'
        b'"errors":0,"last_error":"","eta":null,"stops":[{"stop_id":"dock-7","role":"delivery",'
        b'"fence":{"lat":31.2,"lon":121.4,"enter_m":150.0,"exit_m":250.0,"shape":null}}]}',
    ),
    (
        topics.SIGNALS,
        Opened("order:o-1", 1000, 2000),
        b'{"kind":"opened","scope":"order:o-1","ts":1000,"reported_at":2000}',
    ),
    (
        topics.SIGNALS,
        Closed("order:o-1", 1000, 2000, Stage.SIGNED),
        b'{"kind":"closed","scope":"order:o-1","ts":1000,"reported_at":2000,"stage":"signed"}',
    ),
    (
        topics.SIGNALS,
        Aged("order:o-1", 1000, 2000, Age.DEVICE_SILENT),
        b'{"kind":"aged","scope":"order:o-1","ts":1000,"reported_at":2000,"age":"device_silent"}',
    ),
    (
        topics.SIGNALS,
        Outcome("stage:outbound", 1000, 2000, "o-1", Stage.OUTBOUND, 1, False, "damage"),
        b'{"kind":"outcome","scope":"stage:outbound","ts":1000,"reported_at":2000,"order_id":"o-1",'
        b'"stage":"outbound","attempt":1,"ok":false,"error":"damage"}',
    ),
    (
        topics.ALERT_EVENTS,
        Alert(
            "00ff", 9, Rule.FRESHNESS, "order:o-1", State.FIRING, Severity.WARNING, 1, 2, 1000,
            2000, 16.0, 15.0, reason="device_silent",
        ),
        b'{"alert_id":"00ff","rev":9,"rule":"freshness","subject":"order:o-1","state":"firing",'
        b'"severity":"warning","episode":1,"seq":2,"since":1000,"reported_at":2000,"value":16.0,'
        b'"threshold":15.0,"reason":"device_silent"}',
    ),
    (
        topics.DEAD_LETTERS,
        DeadLetter(
            reason=Reason.NOT_JSON, detail="JSON is malformed", topic="gps.pings", partition=3,
            offset=41, key=b"truck-7", value=b"\xff\x00", size=2, rejected_at=2000,
        ),
        b'{"reason":"not_json","detail":"JSON is malformed","topic":"gps.pings","partition":3,'
        b'"offset":41,"key":"dHJ1Y2stNw==","value":"/wA=","size":2,"rejected_at":2000}',
    ),
)  # fmt: skip

TRACCAR = (
    '{"position":{"id":0,"attributes":{"ignition":true,"sat":11,"motion":true},"deviceId":17,'
    '"protocol":"jt808","serverTime":"2026-01-01T00:00:03.120+00:00",'
    '"deviceTime":"2026-01-01T00:00:02.000+00:00","fixTime":"2026-01-01T00:00:01.000+00:00",'
    '"valid":true,"latitude":31.2304,"longitude":121.4737,"altitude":12.0,"speed":10.0,'
    '"course":184.0,"address":null,"accuracy":0.0,"network":null,"geofenceIds":[3]},'
    '"device":{"id":17,"attributes":{},"groupId":0,"calendarId":0,"name":"沪A12345",'
    '"uniqueId":"013912345678","status":"online","lastUpdate":"2026-01-01T00:00:03.000+00:00",'
    '"positionId":99812,"phone":null,"model":null,"contact":null,"category":"truck",'
    '"disabled":false,"expirationTime":null}}'
).encode()
"""A whole forwarded position, built from Traccar's field list; not a captured one."""
