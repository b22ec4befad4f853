from __future__ import annotations

import msgspec
import pytest

from commands.columns import notes
from commands.lines import BadLine, Format, Message, parse_line, value_of, with_header
from geo.model import Ping
from geo.sources import BadSource, Source, SpeedUnit
from orders.model import Assigned, Signed
from stream import wire
from stream.topics import ORDER_EVENTS
from tests.builders import T0, ping, stop

PING = b'{"vehicle_id":"v1","ts":1767225600,"lat":31.2,"lon":121.4}'
CSV = Format(header=("vehicle_id", "ts", "lat", "lon", "speed"))


def parsed(line: bytes, form: Format | None = None) -> Message:
    message = parse_line(line, form or Format())
    assert isinstance(message, Message), message
    return message


def one(line: bytes, form: Format | None = None) -> Ping:
    (event,) = parsed(line, form).events
    assert isinstance(event, Ping)
    return event


def bad(line: bytes, form: Format | None = None) -> BadLine:
    wrong = parse_line(line, form or Format())
    assert isinstance(wrong, BadLine), wrong
    return wrong


def test_a_line_of_the_jersey_trucks_is_a_ping_with_the_time_it_was_polled() -> None:
    line = (
        b'{"vehicle_id":"101","ts":1449522903.0,"lat":40.68778,"lon":-74.09227,'
        b'"speed":null,"recv_ts":1449718802.0}'
    )
    there = Ping("101", 1_449_522_903_000, 40.68778, -74.09227, received_at=1_449_718_802_000)
    assert parsed(line) == Message("101", 1_449_718_802_000, (there,))


@pytest.mark.parametrize(
    "ts",
    [
        pytest.param(b"1767225600", id="seconds"),
        pytest.param(b"1767225600.0", id="seconds with a fraction"),
        pytest.param(b'"1767225600"', id="seconds as text"),
        pytest.param(b"1767225600000", id="milliseconds"),
        pytest.param(b'"2026-01-01T00:00:00Z"', id="ISO in UTC"),
        pytest.param(b'"2026-01-01T08:00:00.000+08:00"', id="ISO with an offset"),
    ],
)
def test_a_time_may_be_seconds_milliseconds_or_iso(ts: bytes) -> None:
    assert one(PING.replace(b"1767225600", ts)).ts == T0


def test_a_line_in_wire_form_passes_as_it_is() -> None:
    whole = Ping("v1", T0, 31.2, 121.4, 12.5, 90.0, 3.0, T0 + 500)
    line = wire.encode(whole)
    assert value_of(parsed(line), 0) == line


def test_an_array_of_one_vehicle_s_pings_passes_and_is_dated_by_its_newest() -> None:
    batch = b"[" + wire.encode(ping(0)) + b"," + wire.encode(ping(10)) + b"]"
    message = parsed(batch)
    assert (message.key, message.at, value_of(message, 0)) == ("v1", T0 + 10_000, batch)


def test_a_forwarded_position_of_traccar_passes_under_its_device_s_id() -> None:
    line = (
        b'{"position":{"fixTime":"2026-01-01T00:00:00.000+00:00","latitude":31.2,'
        b'"longitude":121.4,"speed":10.0,"accuracy":0.0},"device":{"uniqueId":"0139"}}'
    )
    assert (parsed(line).key, one(line).ts) == ("0139", T0)


def test_columns_of_other_names_are_mapped() -> None:
    form = Format(columns={"vehicle_id": "imei", "lat": "y", "lon": "x", "ts": "when"})
    line = b'{"imei":"v1","when":1767225600,"y":31.2,"x":121.4,"driver":"Li"}'
    assert one(line, form) == Ping("v1", T0, 31.2, 121.4)


@pytest.mark.parametrize(
    ("unit", "mps"),
    [
        (SpeedUnit.MPS, 36.0),
        (SpeedUnit.KMH, 10.0),
        (SpeedUnit.KNOTS, 18.52),
        (SpeedUnit.MPH, 16.09344),
    ],
)
def test_the_speed_column_is_read_in_its_unit(unit: SpeedUnit, mps: float) -> None:
    line = PING[:-1] + b',"speed":36}'
    assert one(line, Format(source=Source(speed=unit))).speed_mps == pytest.approx(mps)


def test_a_csv_row_is_a_ping_and_an_empty_cell_is_absent() -> None:
    assert one(b'"v,1",1767225600,31.2,121.4,\r\n', CSV) == Ping("v,1", T0, 31.2, 121.4)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_header_is_read_without_blanks_and_quotes(delimiter: str) -> None:
    line = delimiter.join(['"vehicle_id"', "ts ", "lat"]) + "\r\n"
    assert with_header(Format(), line) == Format(
        header=("vehicle_id", "ts", "lat"), delimiter=delimiter
    )


def test_columns_are_known_by_their_usual_names() -> None:
    line = b'{"IMEI":7,"Timestamp":1767225600,"Latitude":31.2,"lng":121.4,"Course":90}'
    assert one(line) == Ping("7", T0, 31.2, 121.4, heading_deg=90.0)


@pytest.mark.parametrize(
    ("header", "line", "mps"),
    [
        pytest.param(
            "Bus ID;Time (UTC);Latitude;Longitude;Speed (km/h)", b"7;%d;1;2;36", 10, id="km/h"
        ),
        pytest.param("truck_id,GPS Time,lat,lng,speed_mph", b"7,%d,1,2,100", 44.704, id="mph"),
        pytest.param(
            "车牌号,定位时间,纬度,经度,速度", b"7,%d,1,2,3", 3, id="Chinese, the source's unit"
        ),
        pytest.param("unit,ts,lat,lon,speed_kmh,speed_mps", b"7,%d,1,2,36,9", 9, id="our own name"),
    ],
)
def test_columns_are_known_whatever_their_case_signs_and_language(
    header: str, line: bytes, mps: float
) -> None:
    form = with_header(Format(), header)
    read = one(line % 1_767_225_600, form)
    assert (read.vehicle_id, read.ts, read.lat, read.lon) == ("7", T0, 1.0, 2.0)
    assert read.speed_mps == pytest.approx(mps)


def test_of_a_header_is_told_what_is_not_read_of_it() -> None:
    columns = ("Latitude", "Lng", "Time", "Speed (km/h)", "altitude", "hdop")
    unread, nobody = notes(columns, {}, "--column")
    assert unread == "not read: altitude, hdop"
    assert "--column vehicle_id=COLUMN" in nobody
    assert notes(columns[:5], {"vehicle_id": "altitude"}, "--column") == []
    assert notes(("Bus ID", "lat", "lon", "ts"), {}, "--column") == []
    assert notes((), {}, "--column") == []


def test_a_column_with_our_name_goes_over_one_that_is_only_known() -> None:
    assert one(PING[:-1] + b',"time":5}').ts == one(b'{"time":5,' + PING[1:]).ts == T0


@pytest.mark.parametrize("value", [b"true", b"1", b'"ON"'])
def test_whether_the_engine_ran_is_read_in_its_usual_forms(value: bytes) -> None:
    assert one(PING[:-1] + b',"acc":' + value + b"}").ignition is True
    assert bad(PING[:-1] + b',"ignition":"maybe"}').fix == "write true or false, 1 or 0, on or off"


def test_a_file_of_one_vehicle_need_not_name_it() -> None:
    line = b'{"ts":1767225600,"lat":31.2,"lon":121.4}'
    assert one(line, Format(vehicle_id="day")).vehicle_id == "day"
    assert one(PING, Format(vehicle_id="day")).vehicle_id == "v1"


@pytest.mark.parametrize(
    ("ts", "zone"),
    [
        pytest.param(b'"2026-01-01T08:00:00"', "Asia/Shanghai", id="zone"),
        pytest.param(b'"2026-01-01 08:00:00"', "+08:00", id="offset"),
        pytest.param(b'"2026-01-01T00:00:00Z"', "+08:00", id="its own offset counts"),
        pytest.param(b'"2026/1/1 8:00:00"', "+08:00", id="slashes"),
        pytest.param(b'"2026/1/1 8:00"', "+08:00", id="slashes without seconds"),
        pytest.param(b"20260101080000", "+08:00", id="digits"),
        pytest.param(b'"20260101080000"', "+08:00", id="digits as text"),
    ],
)
def test_a_time_without_a_zone_is_in_that_of_its_source(ts: bytes, zone: str) -> None:
    assert one(PING.replace(b"1767225600", ts), Format(source=Source(zone=zone))).ts == T0


def test_an_unknown_zone_is_told() -> None:
    line = PING.replace(b"1767225600", b'"2026-01-01T08:00:00"')
    with pytest.raises(BadSource, match="zone=Asia/Nowhere: write a name such as Asia/Shanghai"):
        parse_line(line, Format(source=Source(zone="Asia/Nowhere")))


def test_all_times_of_a_ping_move_together() -> None:
    moved = value_of(parsed(wire.encode(ping(1, received_s=3))), 60_000)
    assert wire.decode_pings(moved) == (ping(61, received_s=63),)


def test_an_order_event_is_read_with_any_form_of_time_and_moved() -> None:
    line = b'{"kind":"signed","order_id":"o1","ts":"2026-01-01T08:00:00+08:00"}'
    message = parsed(line, Format(topic=ORDER_EVENTS))
    assert (message.key, message.at) == ("o1", T0)
    assert wire.decode_orders(value_of(message, 1_000)) == (Signed(order_id="o1", ts=T0 + 1_000),)


def test_the_stops_of_an_assignment_may_be_json_in_a_csv_cell() -> None:
    stops = '[{"stop_id":"depot","role":"pickup","fence":{"lat":31.2,"lon":121.4}}]'
    cell = stops.replace('"', '""')
    form = Format(topic=ORDER_EVENTS, header=("kind", "order_id", "ts", "vehicle_id", "stops"))
    message = parsed(f'assigned,o1,1767225600,v1,"{cell}"'.encode(), form)
    assert message.events == (Assigned(order_id="o1", ts=T0, vehicle_id="v1", stops=(stop(),)),)


@pytest.mark.parametrize(
    ("line", "field", "fix"),
    [
        pytest.param(b"{", "line", "not JSON", id="cut off"),
        pytest.param(b"\xff\xfe", "line", "not JSON", id="noise"),
        pytest.param(b"[" * 5_000, "line", "not JSON", id="nested too deep"),
        pytest.param(b"[]", "vehicle_id", "one vehicle", id="no pings"),
        pytest.param(b"17", "line", "expected", id="a number"),
        pytest.param(PING.replace(b'"ts"', b'"t"'), "ts", "--map ts=COLUMN", id="no time"),
        pytest.param(
            PING.replace(b"1767225600", b'"2026-01-01T00:00:00"'), "ts", "zone", id="local"
        ),
        pytest.param(PING.replace(b"1767225600", b'"noon"'), "ts", "ISO 8601", id="no date"),
        pytest.param(PING.replace(b"1767225600", b"-5"), "ts", "1970", id="before 1970"),
        pytest.param(PING.replace(b"1767225600", b"1e400"), "line", "JSON", id="infinite time"),
        pytest.param(PING.replace(b"31.2", b'"north"'), "lat", "number", id="latitude in words"),
        pytest.param(PING.replace(b"31.2", b'"nan"'), "lat", "finite", id="latitude nan"),
        pytest.param(PING.replace(b'"v1"', b'""'), "vehicle_id", "1 to 128", id="empty id"),
        pytest.param(PING.replace(b'"v1"', b"[1]"), "vehicle_id", "text", id="a list as id"),
        pytest.param(
            PING.replace(b'"v1"', b'{"a":1}'), "vehicle_id", "vehicle_id.a", id="object as id"
        ),
    ],
)
def test_a_bad_line_names_the_field_and_the_fix(line: bytes, field: str, fix: str) -> None:
    wrong = bad(line)
    assert (wrong.field, fix in wrong.fix) == (field, True), wrong


def test_a_csv_row_of_the_wrong_length_is_bad() -> None:
    assert bad(b"v1,1767225600", CSV).fix == "2 cells, the header names 5"


def test_an_order_event_of_an_unknown_kind_is_bad() -> None:
    line = b'{"kind":"lost","order_id":"o1","ts":1767225600}'
    assert "schemas/orders.events.json" in bad(line, Format(topic=ORDER_EVENTS)).fix


@pytest.mark.parametrize(
    ("ts", "zone"),
    [
        pytest.param(b"1767225600123456", "", id="microseconds"),
        pytest.param(b'"1767225600123456789"', "", id="nanoseconds"),
        pytest.param(b'"2026-01-01 00:00:00.123 UTC"', "", id="UTC by name"),
        pytest.param(b'"2026/01/01 08:00:00.123"', "+08:00", id="slashes with a fraction"),
    ],
)
def test_a_time_may_be_finer_or_say_utc(ts: bytes, zone: str) -> None:
    read = one(PING.replace(b"1767225600", ts), Format(source=Source(zone=zone)))
    assert read.ts == T0 + 123


@pytest.mark.parametrize(
    "ts",
    [
        pytest.param(b"46023.5", id="days since 1899, as Excel counts"),
        pytest.param(b'"01.01.2026 12:00:00"', id="day first, with dots"),
        pytest.param(b'"01.01.2026 12:00"', id="day first, without seconds"),
    ],
)
def test_days_and_dates_with_dots_are_in_the_source_s_zone(ts: bytes) -> None:
    line = PING.replace(b"1767225600", ts)
    assert one(line, Format(source=Source(zone="+12:00"))).ts == T0
    assert "no zone" in bad(line).fix


@pytest.mark.parametrize(
    ("ts", "fix"),
    [
        pytest.param(b'"03-27 08:00:00"', "no year", id="no year"),
        pytest.param(b'"01/05/2026 08:00"', "which is the month", id="day or month first"),
        pytest.param(b'"08:00:00"', "--column date=COLUMN", id="time of day"),
        pytest.param(b"30000", "another moment|counts from", id="seconds of a day"),
        pytest.param(b"46027", "counts from", id="whole days"),
        pytest.param(b"1e22", "1970 to 9999", id="nothing"),
        pytest.param(b'"inf"', "1970 to 9999", id="infinite"),
        pytest.param(b'"nan"', "1970 to 9999", id="nan"),
        pytest.param(b'"9999-12-31T23:59:59-12:00"', "ISO 8601", id="beyond the calendar"),
    ],
)
def test_a_time_that_is_not_clear_says_what_is_missing(ts: bytes, fix: str) -> None:
    wrong = bad(PING.replace(b"1767225600", ts))
    assert wrong.field == "ts"
    assert any(each in wrong.fix for each in fix.split("|")), wrong


@pytest.mark.parametrize("time", ["0:00:00", "00:00"])
def test_a_date_and_a_time_of_day_may_be_two_columns(time: str) -> None:
    form = with_header(Format(source=Source(zone="UTC")), "id,Date,time,lat,lon")
    assert (
        one(f"7,2026-01-01,{time},1,2".encode(), Format(**vars(form) | {"vehicle_id": "v"})).ts
        == T0
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("timestamp", "time"), ("fixTime", "deviceTime"), ("fixtime", "timestamputc")],
)
def test_of_two_columns_the_better_known_is_read_wherever_it_stands(
    first: str, second: str
) -> None:
    for order in ((first, second), (second, first)):
        cells = {name: T0 if name == first else 5 * T0 for name in order}
        line = msgspec.json.encode({"vehicle_id": "v", **cells, "lat": 1, "lon": 2})
        assert one(line).ts == T0
        told = notes(("vehicle_id", *order, "lat", "lon"), {}, "--column")
        assert told == [f"ts is read from {first}, not from {second}; else --column ts={second}"]


def test_fields_of_objects_are_known_and_of_several_one_must_be_named() -> None:
    fields = b'"time":1767225600,"location":{"lat":1,"lon":2}'
    line = b'{"vehicle":{"id":"v"},' + fields + b"}"
    assert one(line) == Ping("v", T0, 1.0, 2.0)
    flat = with_header(
        Format(), "vehicle.vehicle.id,vehicle.position.latitude,p.longitude,v.timestamp"
    )
    assert one(b"v,1,2,1767225600", flat) == Ping("v", T0, 1.0, 2.0)
    two = line[:-1] + b',"depot":{"lat":8,"lon":9}}'
    wrong = bad(two)
    assert (wrong.field, wrong.value) == ("lat", "location.lat, depot.lat")
    assert wrong.fix.endswith("--map lat=location.lat")
    named = {"lat": "location.lat", "lon": "location.lon"}
    assert one(two, Format(columns=named)) == Ping("v", T0, 1.0, 2.0)


def test_cells_that_mean_nothing_are_empty_and_a_comma_may_be_decimal() -> None:
    form = with_header(Format(), "vehicle_id;ts;lat;lon;speed;heading;accuracy")
    assert one(b"v;1767225600;31,2;121,4;NaN;NULL;-", form) == Ping("v", T0, 31.2, 121.4)
    assert bad(b"v;1767225600;31,2,1;121,4;;;", form).field == "lat"


@pytest.mark.parametrize(
    ("cell", "mps"), [("36 km/h", 10.0), ("36,0 kn", 18.52), ("36 m/s", 36.0), ("36mph", 16.09344)]
)
def test_a_speed_may_name_its_unit_in_the_cell(cell: str, mps: float) -> None:
    line = msgspec.json.encode({"vehicle_id": "v", "ts": T0, "lat": 1, "lon": 2, "speed": cell})
    assert one(line, Format(source=Source(speed=SpeedUnit.MPH))).speed_mps == pytest.approx(mps)
    assert bad(line.replace(cell.encode(), b"36 furlongs")).field == "speed_mps"


def test_a_position_of_traccar_s_api_is_in_knots_and_one_without_a_fix_is_none() -> None:
    position = {
        "deviceId": 3, "protocol": "osmand", "serverTime": T0 + 500, "deviceTime": T0 + 9_000,
        "fixTime": T0, "valid": True, "latitude": 1.0, "longitude": 2.0, "speed": 36.0,
        "attributes": {"ignition": True},
    }  # fmt: skip
    read = one(msgspec.json.encode(position))
    assert (read.vehicle_id, read.ts, read.received_at, read.ignition) == ("3", T0, T0 + 500, True)
    assert read.speed_mps == pytest.approx(18.52)
    wrong = bad(msgspec.json.encode(position | {"valid": False}))
    assert (wrong.field, "no fix" in wrong.fix) == ("valid", True)
    assert "speed is read in knots, as Traccar writes it" in notes(tuple(position), {}, "--column")


def test_nan_in_json_is_told_as_such() -> None:
    assert "write null" in bad(PING[:-1] + b',"speed":NaN}').fix


def test_a_column_that_is_renamed_but_absent_is_told() -> None:
    told = notes(("vehicle_id", "ts", "lat", "lon"), {"speed": "pace"}, "--column")
    assert told == ["no column is called pace (speed); there are: vehicle_id, ts, lat, lon"]
    form = Format(columns={"speed": "pace"})
    assert one(PING[:-1] + b',"pace":3}', form).speed_mps == 3.0
