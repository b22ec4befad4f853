"""What the truth benchmark asks: one difficulty at a time, then all of them together.

The last group has no bar: nobody can be right there every time (a call of two minutes is not in the
data of a device that reports every five), and the table says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from load_tests.journeys import Tour
from load_tests.receivers import Receiver
from load_tests.roads import Sky, Streets
from load_tests.uplinks import Uplink

CLEAN, NOISY = 0.99, 0.95
"""The bars of research/field.md §9."""


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    tour: Tour = Tour()
    receiver: Receiver = Receiver()
    uplink: Uplink = Uplink(lost=0.005)
    vehicles: int = 20
    bar: float | None = NOISY
    """Least precision and recall; None: told, not asked."""


CANYON = Streets(skies=((Sky.CANYON, 0.6), (Sky.STREET, 0.4)))
TUNNELS = Streets(skies=((Sky.TUNNEL, 0.15), (Sky.STREET, 0.85)))
MIXED = Streets(skies=((Sky.OPEN, 0.3), (Sky.STREET, 0.4), (Sky.CANYON, 0.2), (Sky.TUNNEL, 0.1)))
DOCKS = (Sky.CANYON, Sky.YARD, Sky.STREET)
ROUGH = Uplink(
    lost=0.02,
    twice=0.03,
    late=0.03,
    blind_per_h=0.3,
    future=0.002,
    zone=0.002,
    frozen_per_h=0.1,
)
FREIGHT = Tour(leg_m=(3_000.0, 15_000.0), stay_s=(600.0, 1_800.0, 7_200.0))
PARCELS = Tour(
    calls=20,
    leg_m=(400.0, 2_500.0),
    stay_s=(90.0, 210.0, 900.0),
    enter_m=80.0,
    exit_m=140.0,
    drive_bys=6,
)
ON_FOOT = Tour(
    calls=20,
    leg_m=(150.0, 600.0),
    stay_s=(60.0, 150.0, 600.0),
    enter_m=40.0,
    exit_m=80.0,
    astray_m=8.0,
    drive_bys=3,
    streets=Streets(skies=((Sky.STREET, 0.7), (Sky.CANYON, 0.3)), on_foot=True),
    dock_skies=(Sky.STREET,),
)
NOISE = Receiver(jumps=True)

SCENARIOS = (
    Scenario(
        "clean, 1 s",
        "open sky, nothing wrong",
        replace(Tour(), calls=4, dock_skies=(Sky.OPEN,)),
        Receiver(1.0),
        Uplink(),
        12,
        CLEAN,
    ),
    Scenario(
        "clean, 10 s",
        "the same, ten seconds apart",
        receiver=Receiver(10.0),
        uplink=Uplink(),
        bar=CLEAN,
    ),
    Scenario(
        "clean, 30 s",
        "the same, half a minute apart",
        receiver=Receiver(30.0),
        uplink=Uplink(),
        bar=CLEAN,
    ),
    Scenario(
        "drive-bys", "20 planned stops passed, many at red lights", replace(Tour(), drive_bys=20)
    ),
    Scenario(
        "next door",
        "two docks 100 m apart, and a third not called at",
        replace(Tour(), next_door=True),
    ),
    Scenario(
        "brief exits",
        "half the calls interrupted by a turn around the block",
        replace(Tour(), brief_exits=True),
    ),
    Scenario(
        "canyon",
        "errors of 12 m that last, reflections to 150 m",
        replace(Tour(), streets=CANYON, dock_skies=(Sky.CANYON,)),
        NOISE,
    ),
    Scenario("tunnels", "dark, then a bad first fix", replace(Tour(), streets=TUNNELS), NOISE),
    Scenario("disorder", "twice, late, overtaken", uplink=Uplink(lost=0.01, twice=0.1, late=0.1)),
    Scenario("blind areas", "up to 90 min in one batch", uplink=Uplink(lost=0.01, blind_per_h=1.0)),
    Scenario(
        "clocks",
        "ahead, eight hours off, standing still",
        uplink=Uplink(lost=0.01, future=0.01, zone=0.01, frozen_per_h=0.5),
    ),
    Scenario(
        "report on change",
        "silent while parked, but for each half hour",
        receiver=replace(NOISE, parked_s=1_800.0),
    ),
    Scenario(
        "dying batteries",
        "dead in every fifth call, back on the road",
        receiver=replace(NOISE, dies=True),
    ),
    Scenario(
        "sleeping devices",
        "off while parked, at calls and at rests elsewhere",
        replace(Tour(), rests=6),
        replace(NOISE, sleeps=True),
    ),
    Scenario(
        "parcels, 15 s",
        "by van, calls of 3.5 min, fences of 80 m",
        PARCELS,
        replace(NOISE, every_s=15.0),
    ),
    Scenario(
        "on foot, 5 s", "calls of 2.5 min, fences of 40 m", ON_FOOT, replace(NOISE, every_s=5.0)
    ),
    Scenario(
        "all noise, 30 s",
        "everything above at once",
        replace(Tour(), streets=MIXED, dock_skies=DOCKS, drive_bys=8),
        replace(NOISE, every_s=30.0),
        ROUGH,
        40,
    ),
    Scenario(
        "sparse, 2 min", "freight, calls of 10 min and more", FREIGHT, Receiver(120.0), vehicles=40
    ),
    Scenario(
        "all noise, 5 min",
        "freight, everything at once",
        replace(FREIGHT, streets=MIXED, dock_skies=DOCKS),
        replace(NOISE, every_s=300.0),
        ROUGH,
        40,
    ),
    Scenario("parcels, 1 min", "calls of 3.5 min", PARCELS, replace(NOISE, every_s=60.0), bar=None),
    Scenario(
        "sleeping devices, 1 min",
        "one position of a call, or none",
        replace(Tour(), rests=6),
        replace(NOISE, sleeps=True, every_s=60.0),
        bar=None,
    ),
    Scenario(
        "city calls, 5 min",
        "calls of 4 min and more, everything at once",
        replace(Tour(), streets=MIXED, dock_skies=DOCKS),
        replace(NOISE, every_s=300.0),
        ROUGH,
        40,
        None,
    ),
)
